// The gRPC door of the poller: proto/neuwerk/v1/dataplane.proto on a Unix socket.
#pragma once

#include "base/result.h"
#include "dataplane/flows/tracker.h"
#include "dataplane/poller/next_hops.h"
#include "dataplane/poller/subscribers.h"

#include <memory>
#include <string>
#include <vector>

namespace neuwerk::dataplane {

// What the door reads; all of it is readable from any thread and outlives the service.
struct ServiceSources {
	const nw_config *config;
	const Tracker *tracker;
	const NextHopTable *next_hops;
	Subscribers *subscribers;
	std::vector<int> sockets;            // for ring_drops
	std::vector<std::string> interfaces; // whose queues are served
};

class Service {
public:
	// `socket` is replaced if it exists; mode 0600.
	[[nodiscard]] static Result<Service> start(const std::string &socket, ServiceSources sources);
	void stop();

	Service(Service &&) noexcept;
	~Service();

private:
	struct State;
	explicit Service(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::dataplane
