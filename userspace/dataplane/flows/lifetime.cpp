// A flow after its first packet: looked at, harvested, and ended by idleness or by policy.
#include "dataplane/flows/tracker.h"

#include "dataplane/flows/flow_event.h"

#include "path/flow.h"
#include "path/parse.h"
#include "path/track.h"

#include <algorithm>

namespace neuwerk::dataplane {

namespace {

// NW_TRAFFIC_BYTES_BITS relies on it.
constexpr std::uint64_t longest_look_ns = 10'000'000'000;

// After routes changed, a flow gets this long to find its new next hops resolved: at least three looks.
constexpr std::uint64_t route_doubt_ns = 3 * longest_look_ns + tick_ns;

// A dead line may be reclaimed when it is older than dead_rest_ticks.
constexpr std::uint64_t rest_ns = (dead_rest_ticks + 1) * tick_ns;

// Ticks after which a flow was surely idle for longer than the limit. A stamp may stand for any moment of its
// tick, so one more than the limit is long: a flow lives up to two ticks longer than its limit, never
// shorter.
std::uint32_t idle_limit_ticks(const nw_timeouts &timeouts, const nw_flow_line &out, nw_flow_state state)
{
	const std::uint64_t limit_ns =
		std::uint64_t{nw_idle_limit_s(&timeouts, out.protocol, out.remote_port_be, state)} *
		1'000'000'000;
	return static_cast<std::uint32_t>(limit_ns / tick_ns) + 2;
}

nw_end_reason reason_of(const nw_flow_line &out, std::uint8_t in_seen, nw_flow_state state)
{
	if (state != NW_STATE_closing)
		return NW_END_idle_timeout;
	return (out.seen | in_seen) & NW_SEEN_RST ? NW_END_tcp_rst : NW_END_tcp_fin;
}

} // namespace

void Tracker::advance(std::uint64_t now_ns, int budget)
{
	for (int i = 0; i < budget; i++) {
		const auto index = wheel_.take(now_ns);
		if (!index)
			return;
		look_at(*index, now_ns);
	}
}

std::optional<std::uint64_t> Tracker::next_due_ns() const
{
	return wheel_.next_due_ns();
}

void Tracker::on_event(const nw_event &event, std::uint64_t now_ns)
{
	sink_.event(event, {});
	if (event.kind == NW_EVENT_flow_denied && event.line < table_.size())
		look_at(event.line, now_ns);
}

void Tracker::look_at(std::uint32_t index, std::uint64_t now_ns)
{
	if (table_.is_dead(index)) {
		if (const auto rest = table_.reclaim(index, now_ns))
			wheel_.schedule(*rest, now_ns);
		return;
	}
	if (!notes_.has_begun(index))
		return;
	const auto line = table_.read(index);
	if (!line)
		return;
	const bool is_inbound = line->kind & NW_LINE_INBOUND;
	const std::uint32_t partner = notes_.partner(index);
	if (!is_inbound)
		return look_at_flow({.outbound = index, .inbound = partner}, *line, now_ns);
	if (const auto out = table_.read(partner))
		look_at_flow({.outbound = partner, .inbound = index}, *out, now_ns);
}

void Tracker::look_at_flow(Pair pair, const nw_flow_line &out, std::uint64_t now_ns)
{
	const nw_flow_line in = table_.read(pair.inbound).value_or(nw_flow_line{});
	notes_.harvest(pair.outbound, out.traffic);
	notes_.harvest(pair.inbound, in.traffic);
	if ((out.seen | in.seen) & NW_SEEN_DENIED)
		return end(pair, out, NW_END_policy_deny, now_ns);

	// The SNAT address is another one now: answers to the old one find no line, and the port may be given
	// out again for the new one.
	const auto answered = table_.find(nw_inbound_tuple(&out, memory_.config));
	if (!answered || answered->index != pair.inbound)
		return end(pair, out, NW_END_address_changed, now_ns);

	if (routes_are_in_doubt(now_ns)) {
		follow_route(pair.outbound, out, out.remote.word_be[3], NW_SIDE_INSIDE);
		follow_route(pair.inbound, in, out.inside.word_be[3], NW_SIDE_OUTSIDE);
	}

	const nw_flow_state state = nw_flow_state_of(out.protocol, out.seen, in.seen);
	const std::uint16_t now_ticks = nw_tick_of(now_ns);
	const std::uint32_t idle_ticks = std::min(ticks_between(out.last_seen_ticks, now_ticks),
						  ticks_between(in.last_seen_ticks, now_ticks));
	const std::uint32_t limit_ticks = idle_limit_ticks(memory_.config->timeouts, out, state);
	if (idle_ticks >= limit_ticks)
		return end(pair, out, reason_of(out, in.seen, state), now_ns);
	const std::uint64_t deadline_ns = ((now_ns >> NW_TICK_SHIFT) - idle_ticks + limit_ticks)
					  << NW_TICK_SHIFT;
	wheel_.schedule(pair.outbound, std::min(deadline_ns, now_ns + longest_look_ns));
}

// Every flow is looked at in this time, so no flow needs to remember which routes it knows.
bool Tracker::routes_are_in_doubt(std::uint64_t now_ns)
{
	if (const std::uint32_t epoch = next_hops_.route_epoch(); epoch != route_epoch_) {
		route_epoch_ = epoch;
		routes_doubted_until_ns_ = now_ns + route_doubt_ns;
	}
	return now_ns < routes_doubted_until_ns_;
}

// A new next hop counts once it is resolved and on the right side; until then the old one is no worse.
void Tracker::follow_route(std::uint32_t index, const nw_flow_line &line, __be32 towards_be,
			   nw_side wrong_side)
{
	const std::uint16_t next_hop = next_hops_.resolve(towards_be);
	if (next_hop == line.next_hop || usable_hop(next_hop, wrong_side, 0).verdict != NW_UNDECIDED)
		return;
	if (!next_hops_.hold(next_hop))
		return;
	table_.set_next_hop(index, next_hop);
	next_hops_.release(line.next_hop);
}

// Outbound first: from then on nothing of the flow leaves.
void Tracker::end(Pair pair, const nw_flow_line &out, nw_end_reason reason, std::uint64_t now_ns)
{
	const auto in = table_.read(pair.inbound);
	const FlowTraffic traffic{.out = notes_.totals(pair.outbound, out.traffic),
				  .in = in ? notes_.totals(pair.inbound, in->traffic) : FlowTotals{}};
	if (out.external != NW_NOT_TRANSLATED)
		ports_.freed(out);
	next_hops_.release(out.next_hop);
	if (in)
		next_hops_.release(in->next_hop);
	bury(pair.outbound, now_ns);
	bury(pair.inbound, now_ns);
	active_flows_.fetch_sub(1, std::memory_order_relaxed);
	nw_event event = flow_event(NW_EVENT_flow_ended, out, pair.outbound, now_ns);
	event.reason = static_cast<__u8>(reason);
	name_decision(out, event);
	sink_.event(event, traffic);
}

void Tracker::bury(std::uint32_t index, std::uint64_t now_ns)
{
	table_.bury(index, now_ns);
	notes_.end(index);
	wheel_.schedule(index, now_ns + rest_ns);
}

TrackerStatus Tracker::status() const
{
	return {.active_flows = active_flows_.load(std::memory_order_relaxed),
		.adopted_flows = adopted_flows_.load(std::memory_order_relaxed)};
}

std::uint64_t Tracker::translated_flows(std::uint8_t external) const
{
	return ports_.flows_of(external);
}

const FlowTable &Tracker::table() const
{
	return table_;
}

const FlowNotes &Tracker::notes() const
{
	return notes_;
}

} // namespace neuwerk::dataplane
