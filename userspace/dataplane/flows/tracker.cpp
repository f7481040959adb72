// A frame in the poller: the same corridor as in XDP, and what XDP cannot do: begin a flow.
#include "dataplane/flows/tracker.h"

#include "dataplane/flows/environment.h"
#include "dataplane/flows/flow_event.h"

#include "corridor.h"

namespace neuwerk::dataplane {

struct Tracker::Visit {
	nw_passage passage;
	std::uint64_t now_ns;
};

Tracker::Tracker(const DataplaneMemory &memory, NextHops &next_hops, EventSink &sink, Random random,
		 std::uint64_t now_ns)
    : memory_(memory), next_hops_(next_hops), sink_(sink), random_(std::move(random)),
      table_(memory.lines, *memory.config, random_()), notes_(table_.size()), ports_(table_, *memory.config),
      wheel_(table_.size(), now_ns)
{
	adopt(now_ns);
}

Outcome Tracker::handle(std::span<std::uint8_t> frame, std::uint8_t ingress_port, const nw_handoff *handoff,
			std::uint64_t now_ns)
{
	const nw_config &config = *memory_.config;
	if (ingress_port >= NW_PORT_LIMIT)
		return {NW_VERDICT_dropped_no_policy};
	const Environment environment{&memory_, &sink_, &event_bucket_, now_ns};
	const EnvironmentScope scope(environment);
	Visit visit{.passage = {}, .now_ns = now_ns};
	nw_passage &passage = visit.passage;
	passage.config = &config;
	passage.port = &config.port[ingress_port];
	passage.decision = NW_NO_DECISION;
	const nw_verdict parsed = nw_parse({frame.data(), frame.data() + frame.size()}, passage.port->mac,
					   passage.port->zone, &passage.packet);
	if (parsed != NW_UNDECIDED)
		// XDP gives the kernel its frames; what comes here was not among them when it was judged.
		return {parsed == NW_VERDICT_passed_to_kernel ? NW_VERDICT_dropped_no_flow : parsed};
	passage.flow_hash = nw_flow_hash(&passage.packet.tuple, config.hash_seed);

	nw_flow_line line{};
	std::uint32_t index = 0;
	switch (nw_find_line(&passage, &line, &index)) {
	case NW_READ_stable:
		return follow(visit, line, index);
	case NW_READ_busy: // another worker is at it
		return {NW_VERDICT_dropped_poller_busy};
	default:
		return meet(visit, handoff);
	}
}

// A flow of XDP's, whose packet was on its way here when the line appeared.
Outcome Tracker::follow(Visit &visit, const nw_flow_line &line, std::uint32_t index)
{
	const nw_verdict verdict = nw_follow(&visit.passage, &line, index);
	if (verdict == NW_VERDICT_forwarded_in_xdp)
		return {NW_VERDICT_forwarded_by_poller, visit.passage.egress_port};
	const auto now = table_.read(index);
	if (now && now->seen & NW_SEEN_DENIED)
		look_at(index, visit.now_ns);
	return {verdict};
}

Outcome Tracker::meet(Visit &visit, const nw_handoff *handoff)
{
	nw_passage &passage = visit.passage;
	nw_verdict verdict = NW_UNDECIDED;
	if (handoff && proves_itself(visit, *handoff)) {
		passage.generation = handoff->generation;
		passage.decision = handoff->decision;
		passage.asked_port_be =
			NW_BE16(static_cast<__u16>(passage.packet.icmp_type << 8 | passage.packet.icmp_code));
		verdict = nw_own_address(&passage);
		if (verdict == NW_UNDECIDED)
			verdict = nw_may_begin(&passage.packet);
	} else {
		verdict = nw_meet(&passage);
	}
	if (verdict == NW_VERDICT_passed_to_kernel)
		return {NW_VERDICT_dropped_no_flow};
	return verdict == NW_VERDICT_handed_to_poller ? begin(visit) : Outcome{verdict};
}

// XDP's decision counts when it is about this packet, by the policy that is in force, and an allow.
bool Tracker::proves_itself(const Visit &visit, const nw_handoff &handoff) const
{
	if (handoff.magic != NW_HANDOFF_MAGIC || handoff.flow_hash != visit.passage.flow_hash ||
	    visit.passage.port->side == NW_SIDE_OUTSIDE || handoff.generation == 0 ||
	    handoff.generation != nw_load(&memory_.active->generation))
		return false;
	const nw_decision *decision = nw_decision_of(memory_.config, handoff.generation, handoff.decision);
	return decision && decision->verdict == NW_VERDICT_forwarded_in_xdp;
}

Outcome Tracker::begin(Visit &visit)
{
	nw_passage &passage = visit.passage;
	const nw_tuple &tuple = passage.packet.tuple;
	nw_flow_line line{};
	line.zone = tuple.zone;
	line.protocol = tuple.protocol;
	line.inside = tuple.source;
	line.remote = tuple.destination;
	line.inside_port_be = tuple.source_port_be;
	line.remote_port_be = tuple.destination_port_be;
	line.last_seen_ticks = nw_tick_of(visit.now_ns);
	line.judged_generation = passage.generation;

	Route route;
	if (const Outcome failure = choose_route(visit, route); failure.verdict != NW_UNDECIDED)
		return failure;
	if (const nw_verdict failure = choose_external(visit, line); failure != NW_UNDECIDED)
		return {failure};
	const auto pair = publish(line, route, visit.now_ns);
	if (!pair)
		return {NW_VERDICT_dropped_table_full};

	const nw_decision *decision = nw_decision_of(memory_.config, passage.generation, passage.decision);
	nw_event event = flow_event(NW_EVENT_flow_started, line, pair->outbound, visit.now_ns);
	if (decision) {
		event.group = decision->group;
		event.rule = decision->rule;
	}
	sink_.event(event, {});
	line.next_hop = route.outbound;
	return follow(visit, line, pair->outbound);
}

// The flow's last event says what the policy in force thinks of it: an adopted flow has no other memory of
// who let it in, and of a flow that a policy ended this is the rule that did.
void Tracker::name_decision(const nw_flow_line &out, nw_event &event)
{
	const Environment environment{&memory_, &sink_, &event_bucket_, event.time_ns};
	const EnvironmentScope scope(environment);
	nw_passage passage{};
	passage.config = memory_.config;
	passage.decision = NW_NO_DECISION;
	const nw_tuple tuple = nw_outbound_tuple(&out);
	(void)nw_ask_policy(&passage, &tuple, NW_ICMP_ECHO_REQUEST, 0);
	const nw_decision *decision = nw_decision_of(memory_.config, passage.generation, passage.decision);
	if (!decision)
		return;
	event.generation = passage.generation;
	event.group = decision->group;
	event.rule = decision->rule;
}

// Both directions must have somewhere to go before anything is remembered of the flow.
Outcome Tracker::choose_route(const Visit &visit, Route &route)
{
	const nw_tuple &tuple = visit.passage.packet.tuple;
	route.outbound = next_hops_.resolve(tuple.destination.word_be[3]);
	route.inbound = next_hops_.resolve(tuple.source.word_be[3]);
	const Outcome outbound = usable_hop(route.outbound, NW_SIDE_INSIDE, visit.passage.packet.ip_bytes);
	if (outbound.verdict != NW_UNDECIDED)
		return outbound;
	// Strict reverse path (RFC 3704 §2.2): the answer must not leave on an outside port.
	return usable_hop(route.inbound, NW_SIDE_OUTSIDE, 0);
}

Outcome Tracker::usable_hop(std::uint16_t index, nw_side wrong_side, std::uint16_t ip_bytes) const
{
	nw_next_hop hop{};
	if (index == 0 || index >= memory_.hops.size())
		return {NW_VERDICT_dropped_no_next_hop};
	if (nw_read_sequenced(&memory_.hops[index], &hop, NW_NEXT_HOP_WORDS) != NW_READ_stable ||
	    !hop.mtu_bytes)
		return {NW_VERDICT_dropped_no_next_hop, 0, index};
	if (hop.port >= NW_PORT_LIMIT)
		return {NW_VERDICT_dropped_no_next_hop};
	if (memory_.config->port[hop.port].side == wrong_side)
		return {wrong_side == NW_SIDE_INSIDE ? NW_VERDICT_dropped_east_west
						     : NW_VERDICT_dropped_wrong_side};
	if (ip_bytes > hop.mtu_bytes)
		return {NW_VERDICT_dropped_too_big};
	return {NW_UNDECIDED};
}

nw_verdict Tracker::choose_external(Visit &visit, nw_flow_line &line)
{
	line.external = NW_NOT_TRANSLATED;
	line.external_port_be = line.inside_port_be;
	if (memory_.config->snat_mode == NW_SNAT_NONE) {
		const nw_tuple reply = nw_inbound_tuple(&line, memory_.config);
		return table_.find(reply) ? NW_VERDICT_dropped_no_port : NW_UNDECIDED;
	}
	if (memory_.config->external_count == 0)
		return NW_VERDICT_dropped_no_snat_address;
	line.external = 0;
	const auto port_be = ports_.choose(line, random_());
	if (!port_be) {
		nw_report(&visit.passage, &visit.passage.packet.tuple, NW_EVENT_no_port,
			  NW_VERDICT_dropped_no_port, 0);
		return NW_VERDICT_dropped_no_port;
	}
	line.external_port_be = *port_be;
	return NW_UNDECIDED;
}

// Inbound first: it claims the external port, and nothing of the flow can leave before the outbound line is
// there, so no answer finds the way back missing. A crash in between leaves a line without partner: adoption
// buries it.
std::optional<Tracker::Pair> Tracker::publish(const nw_flow_line &flow, const Route &route,
					      std::uint64_t now_ns)
{
	nw_flow_line line = flow;
	line.kind = NW_LINE_INBOUND;
	line.next_hop = route.inbound;
	const auto inbound = table_.publish(line, now_ns);
	if (!inbound)
		return {};
	line.kind = 0;
	line.next_hop = route.outbound;
	const auto outbound = table_.publish(line, now_ns);
	if (!outbound) {
		bury(*inbound, now_ns);
		return {};
	}
	notes_.begin(*inbound, *outbound);
	notes_.begin(*outbound, *inbound);
	if (line.external != NW_NOT_TRANSLATED)
		ports_.taken(line);
	next_hops_.hold(route.inbound);
	next_hops_.hold(route.outbound);
	active_flows_.fetch_add(1, std::memory_order_relaxed);
	wheel_.cancel(*inbound);
	wheel_.schedule(*outbound, now_ns); // look_at finds the deadline
	return Pair{*outbound, *inbound};
}

} // namespace neuwerk::dataplane
