// neuwerkd as a test talks to it: HTTP on its Unix socket.
#pragma once

#include "base/result.h"

#include <functional>
#include <memory>
#include <string>

namespace neuwerk::packets {

// One exchange on a connection of its own; the body of a 2xx. Any other status is an error with the body.
[[nodiscard]] Result<std::string> ask_neuwerkd(const std::string &socket, const std::string &method,
					       const std::string &path, const std::string &body = {});

// Every event from now on, as the JSON of its `data:` line, on a thread of its own until destruction.
class EventFollower {
public:
	// Returns when the subscription is known to stand.
	[[nodiscard]] static Result<EventFollower> start(const std::string &socket,
							 std::function<void(const std::string &json)> take);
	EventFollower(EventFollower &&) noexcept;
	EventFollower &operator=(EventFollower &&) noexcept;
	~EventFollower();

private:
	struct State;
	explicit EventFollower(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::packets
