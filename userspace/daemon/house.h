// Everything that lives as long as neuwerkd serves, and how the parts call each other.
#pragma once

#include "base/clock.h"
#include "base/files.h"
#include "daemon/config.h"
#include "daemon/control_loop.h"
#include "daemon/control_service.h"
#include "daemon/corridor_enforcer.h"
#include "daemon/event_hub.h"
#include "daemon/event_loop.h"
#include "daemon/generations.h"
#include "daemon/http_server.h"
#include "daemon/netlink.h"
#include "daemon/node.h"
#include "daemon/poller_client.h"
#include "daemon/poller_process.h"
#include "daemon/policy_store.h"
#include "daemon/supervise.h"

#include <optional>
#include <string>

namespace neuwerk::daemon {

class House {
public:
	House(const std::string &config_path, const Config &config, dataplane::Corridor corridor);
	~House();

	// Configures, publishes, opens the doors and starts the poller, in this order.
	[[nodiscard]] Result<> start(Facts facts);
	// Until SIGTERM or SIGINT; the poller is stopped when it returns.
	void serve();

private:
	void connect_signals();
	void connect_rest();
	void supervise();
	void on_address_change();
	void on_reload();
	void on_stop();

	// Torn down from the bottom up: the doors first, the corridor after everything that uses it.
	std::string config_path_;
	Config config_;
	SystemFiles files_;
	SystemClock clock_;
	EventLoop loop_;
	EventHub events_;
	Generations generations_;
	CorridorEnforcer enforcer_;
	PolicyStore store_;
	ControlLoop control_;
	PollerProcess process_;
	Supervisor supervisor_;
	std::optional<AddressWatch> watch_;
	PollerClient poller_;
	Node node_;
	std::optional<HttpServer> http_;
	std::optional<ControlService> socket_;
};

} // namespace neuwerk::daemon
