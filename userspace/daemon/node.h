// Everything that the doors may ask of this node. Safe from every thread but the
// loop's.
#pragma once

#include "base/result.h"
#include "daemon/control_loop.h"
#include "daemon/event_hub.h"
#include "daemon/event_loop.h"
#include "daemon/http_server.h"
#include "daemon/poller_client.h"
#include "daemon/readiness.h"

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::daemon {

struct Numbers;

struct PortStatus {
	std::string interface;
	std::string side;
	std::uint32_t mtu; // bytes
};

struct NodeStatus {
	PolicyStatus policy;
	std::uint32_t generation;
	std::string policy_source;
	std::string snat;
	std::vector<Check> checks;
	std::vector<PortStatus> ports;
	Result<v1::StatusReply> poller;
};

struct Counts {
	dataplane::VerdictCounts xdp;
	dataplane::VerdictCounts poller;
};

// An Explanation with the names of its generation.
struct NamedExplanation {
	dataplane::Explanation explanation;
	std::string group;
	std::string rule;           // empty: a default decided
	std::string audit;          // "group/rule" that an audit pass denies; empty: none
	std::uint64_t revision = 0; // of the policy that decided; 0: unknown, or from before the first write
};

class Node {
public:
	struct Parts {
		EventLoop &loop;
		ControlLoop &control;
		Enforcer &enforcer;
		Generations &generations;
		PollerLink &poller;
		EventHub &events;
		std::function<Result<Facts>()> read_facts;      // fresh from the kernel
		std::function<std::uint64_t()> poller_restarts; // called on the loop
		std::function<void(Numbers &)> add_numbers;     // what Node does not know; on any thread
	};
	explicit Node(Parts parts);

	[[nodiscard]] Result<NodeStatus> status();
	[[nodiscard]] Result<Counts> counts();
	[[nodiscard]] Result<NamedExplanation> explain(const dataplane::Question &question);
	[[nodiscard]] Result<PolicyReview> validate(const std::string &document, policy::Syntax syntax);
	[[nodiscard]] Result<PolicyWritten> write(const PolicyWrite &write);
	[[nodiscard]] Result<PolicyWritten> roll_back(std::uint64_t revision, const std::string &author,
						      const std::string &message);
	[[nodiscard]] Result<> confirm(const std::string &author);
	[[nodiscard]] Result<> reset(const std::string &id, const std::string &author);
	[[nodiscard]] Result<PolicyStatus> policy_status();
	// What the document would be here, with its model; changes nothing.
	struct Judged {
		model::Policy policy;
		policy::CompiledPolicy compiled;
	};
	[[nodiscard]] Result<Judged> judge(const std::string &document);
	[[nodiscard]] PollerLink &poller()
	{
		return parts_.poller;
	}
	[[nodiscard]] EventHub &events()
	{
		return parts_.events;
	}

	// /health, /ready, /metrics; 404 for the rest.
	[[nodiscard]] HttpReply answer_http(const std::string &path);

	// Counts flows as they come and go; from any thread.
	void on_event(const v1::Event &event);
	[[nodiscard]] std::uint64_t flows_opened() const
	{
		return flows_opened_;
	}
	[[nodiscard]] std::uint64_t flows_closed() const
	{
		return flows_closed_;
	}

	// From here on /ready says no.
	void drain()
	{
		draining_ = true;
	}

private:
	[[nodiscard]] HttpReply metrics();
	[[nodiscard]] Result<PolicyWritten> counted(Result<PolicyWritten> written);

	Parts parts_;
	std::atomic<bool> draining_ = false;
	std::atomic<std::uint64_t> applies_ok_ = 0;
	std::atomic<std::uint64_t> applies_failed_ = 0;
	std::atomic<std::uint64_t> flows_opened_ = 0; // since this neuwerkd started
	std::atomic<std::uint64_t> flows_closed_ = 0;
};

struct SnatUse {
	std::uint64_t translated_flows = 0;
	double utilization = 0; // of the fullest address, 0 to 1: ports are reused towards other remotes
};
[[nodiscard]] SnatUse snat_use(const v1::StatusReply &poller);

// Fills group_name and rule_name from the policy of the event's generation, where it is still known.
void name_event(v1::Event &event, const Generations &generations);

[[nodiscard]] std::string_view verdict_name(nw_verdict verdict);
[[nodiscard]] std::string_view verdict_fate(nw_verdict verdict); // forward, slow, kernel, drop
[[nodiscard]] std::string_view verdict_why(nw_verdict verdict);

} // namespace neuwerk::daemon
