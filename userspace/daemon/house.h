// Everything that lives as long as neuwerkd serves, and how the parts call each other.
#pragma once

#include "api/api.h"
#include "base/clock.h"
#include "base/files.h"
#include "daemon/appliance.h"
#include "daemon/config.h"
#include "daemon/control_loop.h"
#include "daemon/corridor_enforcer.h"
#include "daemon/event_hub.h"
#include "daemon/event_loop.h"
#include "daemon/generations.h"
#include "daemon/http_server.h"
#include "daemon/netlink.h"
#include "daemon/node.h"
#include "daemon/observation.h"
#include "daemon/policy_records.h"
#include "daemon/policy_store.h"
#include "daemon/poller_client.h"
#include "daemon/poller_process.h"
#include "daemon/supervise.h"
#include "daemon/tally.h"
#include "identity/identity.h"
#include "observe/observe.h"
#include "state/state.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace neuwerk::daemon {

class House {
public:
	House(const std::string &config_path, const Config &config, dataplane::Corridor corridor);
	~House();

	// Enforces what is known, opens the records, then the doors, then starts the poller.
	[[nodiscard]] Result<> start(Facts facts);
	// Until SIGTERM or SIGINT; doors are closed and the poller is stopped when it returns.
	void serve();

private:
	[[nodiscard]] Result<> open_records();
	[[nodiscard]] Result<> open_observer();
	[[nodiscard]] Result<> open_doors();
	[[nodiscard]] Result<> open_api(const Doors &doors);
	void connect_signals();
	void connect_rest();
	void supervise();
	void on_event(v1::Event event);
	void add_numbers(Numbers &numbers) const;
	[[nodiscard]] Result<std::string> sysdump();
	void on_address_change();
	void on_reload();
	void on_stop();
	void close_doors();

	// Torn down from the bottom up: the doors first, the corridor after everything that uses it.
	std::string config_path_;
	Config config_;
	SystemFiles files_;
	SystemClock clock_;
	EventLoop loop_;
	EventHub events_;
	Tally tally_;
	Generations generations_;
	CorridorEnforcer enforcer_;
	PolicyStore copy_;
	crypto::SealingKey sealing_;
	std::unique_ptr<state::Store> store_;
	std::unique_ptr<identity::Identity> identity_;
	std::optional<PolicyRecords> records_;
	ControlLoop control_;
	PollerProcess process_;
	Supervisor supervisor_;
	std::optional<AddressWatch> watch_;
	std::unique_ptr<observe::Observer> observer_;
	PollerClient poller_;
	Node node_;
	std::optional<Observation> observation_;
	std::optional<NodeAppliance> appliance_;
	std::optional<api::Services> services_;
	std::optional<HttpServer> metrics_;
	std::unique_ptr<api::Server> api_;
	std::thread closing_; // of the doors, at the end
	bool is_stopping_ = false;
};

} // namespace neuwerk::daemon
