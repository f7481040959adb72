// The poller as neuwerkd sees it: status, flows and events over <run>/dataplane.sock.
#pragma once

#include "base/result.h"
#include "neuwerk/v1/dataplane.pb.h"

#include <functional>
#include <memory>
#include <string>

namespace neuwerk::daemon {

class PollerLink {
public:
	virtual ~PollerLink() = default;
	// Both fail with unavailable when no poller answers.
	[[nodiscard]] virtual Result<v1::StatusReply> status() = 0;
	// Hands over each flow until `take` returns false. limit 0: no limit.
	[[nodiscard]] virtual Result<> list_flows(std::uint32_t limit,
						  const std::function<bool(const v1::Flow &)> &take) = 0;
};

// Safe from every thread.
class PollerClient final : public PollerLink {
public:
	explicit PollerClient(const std::string &socket);
	~PollerClient() override;

	[[nodiscard]] Result<v1::StatusReply> status() override;
	[[nodiscard]] Result<> list_flows(std::uint32_t limit,
					  const std::function<bool(const v1::Flow &)> &take) override;

	// Starts a thread that hands over every event, reconnecting when the poller restarts, until
	// destruction.
	void watch(std::function<void(v1::Event)> take);

private:
	struct State;
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::daemon
