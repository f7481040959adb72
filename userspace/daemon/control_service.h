// The control socket: what neuwerkctl asks, over gRPC on a Unix socket that only root can open.
#pragma once

#include "base/result.h"

#include <memory>
#include <string>

namespace neuwerk::daemon {

class Node;

class ControlService {
public:
	// Takes over a socket file that a dead neuwerkd left. Fails when the socket cannot be made.
	[[nodiscard]] static Result<ControlService> start(const std::string &socket, Node &node);

	ControlService(ControlService &&) noexcept;
	~ControlService(); // ends every call; the event hub must be closed and the loop must still answer or
			   // be closed

private:
	struct State;
	explicit ControlService(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::daemon
