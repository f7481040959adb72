// The poller's core: one frame in, one verdict out, and every flow that lives from its first packet to its
// end.
//
//   handle ─► the corridor of XDP, over the same memory ─┬─ a flow that began meanwhile: follow it
//                                                        └─ a first packet: address, port, next hops,
//                                                           both lines published, then the frame rewritten
//   advance ─► each flow is looked at every 10 s or at its deadline, whichever is first
//
// Pure: time, randomness, next hops and the reader of events are given. One thread.
#pragma once

#include "abi/config.h"
#include "abi/denial.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "abi/handoff.h"
#include "abi/policy.h"
#include "abi/verdict.h"
#include "dataplane/flows/flow_table.h"
#include "dataplane/flows/notes.h"
#include "dataplane/flows/ports.h"
#include "dataplane/flows/wheel.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace neuwerk::dataplane {

// What the poller shares with neuwerkd and XDP; outlives the tracker.
struct DataplaneMemory {
	const nw_config *config;
	const nw_policy_active *active;
	std::span<const nw_policy_node> nodes;  // both halves
	std::span<const nw_decision> decisions; // both halves
	std::span<nw_flow_line> lines;          // config->flow_line_mask + 1
	std::span<const nw_next_hop> hops;
	std::span<nw_denial_set> denials = {}; // the poller's own row; empty: nothing is counted per key
};

class NextHops {
public:
	virtual ~NextHops() = default;

	// Index of the next hop towards an IPv4 address; its resolution is started if need be (until it is
	// done, its mtu_bytes is 0). 0: there is no route, or no room.
	virtual std::uint16_t resolve(__be32 address_be) = 0;

	// A flow line begins or ceases to use an index, which stays what it is meanwhile. False: the index
	// means nothing (a line from a former life).
	virtual bool hold(std::uint16_t index) = 0;
	virtual void release(std::uint16_t index) = 0;

	// Changes when routes did: every flow then asks again within 10 s.
	[[nodiscard]] virtual std::uint32_t route_epoch() const
	{
		return 0;
	}
};

// What a flow carried; zero for events that are not its end.
struct FlowTraffic {
	FlowTotals out{};
	FlowTotals in{};
};

class EventSink {
public:
	virtual ~EventSink() = default;
	virtual void event(const nw_event &event, const FlowTraffic &traffic) = 0;
};

struct Outcome {
	nw_verdict verdict;
	std::uint8_t egress_port = 0;  // of a forwarded frame: index into config->port
	std::uint16_t awaited_hop = 0; // with dropped_no_next_hop: the hop that is being resolved; 0: none
};

struct TrackerStatus {
	std::uint64_t active_flows = 0;
	std::uint64_t adopted_flows = 0;
};

class Tracker {
public:
	using Random = std::function<std::uint32_t()>; // uniform over all values

	// Takes over what the table holds: see adopt.cpp. `now_ns` is CLOCK_MONOTONIC, as everywhere.
	Tracker(const DataplaneMemory &memory, NextHops &next_hops, EventSink &sink, Random random,
		std::uint64_t now_ns);

	// Rewrites a forwarded frame in place. The caller sends it and counts the verdict. `handoff` is what
	// stands in front of the frame, if anything: it is believed only when it proves itself.
	[[nodiscard]] Outcome handle(std::span<std::uint8_t> frame, std::uint8_t ingress_port,
				     const nw_handoff *handoff, std::uint64_t now_ns);

	// An event that XDP emitted; passed on to the sink too.
	void on_event(const nw_event &event, std::uint64_t now_ns);

	// Looks at up to `budget` lines that are due.
	void advance(std::uint64_t now_ns, int budget);
	[[nodiscard]] std::optional<std::uint64_t> next_due_ns() const;

	// For readers in other threads.
	[[nodiscard]] TrackerStatus status() const;
	[[nodiscard]] std::uint64_t translated_flows(std::uint8_t external) const; // to config->external[]
	[[nodiscard]] const FlowTable &table() const;
	[[nodiscard]] const FlowNotes &notes() const;

private:
	struct Pair { // both lines of a flow
		std::uint32_t outbound;
		std::uint32_t inbound;
	};
	struct Route { // next hops of both directions of a new flow
		std::uint16_t outbound = 0;
		std::uint16_t inbound = 0;
	};
	struct Visit; // one frame in handle()

	void adopt(std::uint64_t now_ns);
	bool adopt_flow(std::uint32_t outbound, const nw_flow_line &line, std::uint64_t now_ns);
	[[nodiscard]] bool is_sound(std::uint32_t index, const nw_flow_line &line) const;

	[[nodiscard]] Outcome meet(Visit &visit, const nw_handoff *handoff);
	[[nodiscard]] Outcome begin(Visit &visit);
	[[nodiscard]] Outcome follow(Visit &visit, const nw_flow_line &line, std::uint32_t index);
	[[nodiscard]] bool proves_itself(const Visit &visit, const nw_handoff &handoff) const;
	[[nodiscard]] nw_verdict choose_external(Visit &visit, nw_flow_line &line);
	[[nodiscard]] Outcome choose_route(const Visit &visit, Route &route);
	[[nodiscard]] Outcome usable_hop(std::uint16_t index, nw_side wrong_side,
					 std::uint16_t ip_bytes) const;
	[[nodiscard]] std::optional<Pair> publish(const nw_flow_line &flow, const Route &route,
						  std::uint64_t now_ns);

	void look_at(std::uint32_t index, std::uint64_t now_ns);
	void look_at_flow(Pair pair, const nw_flow_line &out, std::uint64_t now_ns);
	[[nodiscard]] bool routes_are_in_doubt(std::uint64_t now_ns);
	void follow_route(std::uint32_t index, const nw_flow_line &line, __be32 towards_be,
			  nw_side wrong_side);
	void end(Pair pair, const nw_flow_line &out, nw_end_reason reason, std::uint64_t now_ns);
	void name_decision(const nw_flow_line &out, nw_event &event);
	void bury(std::uint32_t index, std::uint64_t now_ns);

	DataplaneMemory memory_;
	NextHops &next_hops_;
	EventSink &sink_;
	Random random_;
	FlowTable table_;
	FlowNotes notes_;
	ExternalPorts ports_;
	Wheel wheel_;
	__u64 event_bucket_ = 0; // path/limit.h, as each CPU has one
	std::uint32_t route_epoch_ = 0;
	std::uint64_t routes_doubted_until_ns_ = 0;
	std::atomic<std::uint64_t> active_flows_ = 0;
	std::atomic<std::uint64_t> adopted_flows_ = 0;
};

} // namespace neuwerk::dataplane
