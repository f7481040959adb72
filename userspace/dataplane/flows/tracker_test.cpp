// What becomes of frames and flows in the poller's core.
#include "dataplane/flows/tracker.h"

#include "dataplane/flows/test_world.h"

#include <doctest/doctest.h>

using namespace neuwerk::dataplane;
using namespace neuwerk::dataplane::test;

namespace {

constexpr Frame reply_to(const Frame &sent, std::uint16_t external_port)
{
	Frame reply = sent;
	reply.source = sent.destination;
	reply.destination = external;
	reply.source_port = sent.destination_port;
	reply.destination_port = external_port;
	reply.tcp_flags = NW_SEEN_SYN | NW_SEEN_ACK;
	if (sent.protocol == NW_PROTOCOL_ICMP) {
		reply.icmp_type = NW_ICMP_ECHO_REPLY;
		reply.source_port = external_port;
	}
	return reply;
}

nw_handoff handoff_for(World &world, std::vector<std::uint8_t> &bytes)
{
	nw_packet packet{};
	nw_parse({bytes.data(), bytes.data() + bytes.size()}, world.config->port[inside_port].mac, 0,
		 &packet);
	return {.magic = NW_HANDOFF_MAGIC,
		.generation = world.active.generation,
		.decision = 0,
		.flow_hash = nw_flow_hash(&packet.tuple, world.config->hash_seed)};
}

nw_verdict send(World &world, const Frame &frame, std::uint8_t port = inside_port)
{
	auto bytes = bytes_of(frame, port);
	return world.arrive(bytes, port).verdict;
}

} // namespace

TEST_CASE("the first packet of a flow leaves translated, and the answer finds its way back")
{
	for (std::uint8_t protocol : {NW_PROTOCOL_UDP, NW_PROTOCOL_TCP, NW_PROTOCOL_ICMP}) {
		CAPTURE(protocol);
		World world;
		const Frame sent{.protocol = protocol};
		auto bytes = bytes_of(sent);
		const Outcome out = world.arrive(bytes, inside_port);
		REQUIRE(out.verdict == NW_VERDICT_forwarded_by_poller);
		CHECK(out.egress_port == outside_port);
		const Seen outside = look(bytes);
		CHECK(outside.checksums_hold);
		CHECK(outside.packet.ip->ttl == 63);
		CHECK(outside.packet.tuple.source.word_be[3] == NW_BE32(external));
		const std::uint16_t port = NW_HOST16(outside.packet.tuple.source_port_be);
		CHECK((port == 40000) == (protocol != NW_PROTOCOL_ICMP));
		CHECK(world.live_lines() == 2);

		auto answer = bytes_of(reply_to(sent, port), outside_port);
		const Outcome in = world.arrive(answer, outside_port);
		REQUIRE(in.verdict == NW_VERDICT_forwarded_by_poller);
		CHECK(in.egress_port == inside_port);
		const Seen inside = look(answer);
		CHECK(inside.checksums_hold);
		CHECK(inside.packet.tuple.destination.word_be[3] == NW_BE32(client));
		CHECK(inside.packet.tuple.destination_port_be == NW_BE16(40000));
	}
}

TEST_CASE("without SNAT addresses and ports stay, in both directions")
{
	World world;
	world.config->snat_mode = NW_SNAT_NONE;
	world.config->own_address_count = 0;
	auto bytes = bytes_of({});
	REQUIRE(world.arrive(bytes, inside_port).verdict == NW_VERDICT_forwarded_by_poller);
	CHECK(look(bytes).packet.tuple.source.word_be[3] == NW_BE32(client));

	Frame reply = reply_to({}, 40000);
	reply.destination = client;
	CHECK(send(world, reply, outside_port) == NW_VERDICT_forwarded_by_poller);
}

TEST_CASE("a packet that waited behind the first one follows the line")
{
	World world;
	CHECK(send(world, {}) == NW_VERDICT_forwarded_by_poller);
	CHECK(send(world, {}) == NW_VERDICT_forwarded_by_poller);
	CHECK(world.live_lines() == 2);
	CHECK(world.events.count(NW_EVENT_flow_started) == 1);
	const auto out = world.tracker->table().find({.source = nw_mapped_ipv4(NW_BE32(client)),
						      .destination = nw_mapped_ipv4(NW_BE32(server)),
						      .source_port_be = NW_BE16(40000),
						      .destination_port_be = NW_BE16(53),
						      .protocol = NW_PROTOCOL_UDP});
	REQUIRE(out);
	const auto line = world.tracker->table().read(out->index);
	CHECK(world.tracker->notes().totals(out->index, line->traffic).packets == 2);
	CHECK((line->seen & NW_SEEN_PACKET) != 0);
}

TEST_CASE("what may not begin a flow ends with its own verdict and leaves nothing behind")
{
	const struct {
		const char *what;
		Frame frame;
		std::uint8_t port;
		nw_verdict verdict;
	} rows[] = {
		{"an ACK of no flow",
		 {.protocol = NW_PROTOCOL_TCP, .tcp_flags = NW_SEEN_ACK},
		 inside_port,
		 NW_VERDICT_dropped_no_flow},
		{"a SYN-ACK of no flow",
		 {.protocol = NW_PROTOCOL_TCP, .tcp_flags = NW_SEEN_SYN | NW_SEEN_ACK},
		 inside_port,
		 NW_VERDICT_dropped_no_flow},
		{"an ICMP timestamp request",
		 {.protocol = NW_PROTOCOL_ICMP, .icmp_type = 13},
		 inside_port,
		 NW_VERDICT_dropped_icmp_type},
		{"a packet from outside",
		 {.source = server, .destination = client},
		 outside_port,
		 NW_VERDICT_dropped_no_flow},
		{"a packet for this host",
		 {.destination = external},
		 inside_port,
		 NW_VERDICT_dropped_own_address},
		{"a time to live that ends here", {.ttl = 1}, inside_port, NW_VERDICT_dropped_ttl},
		{"a packet larger than the way out",
		 {.payload_bytes = 1480},
		 inside_port,
		 NW_VERDICT_dropped_too_big},
		{"an inside destination",
		 {.destination = client + 1},
		 inside_port,
		 NW_VERDICT_dropped_east_west},
		{"an outside source", {.source = server + 1}, inside_port, NW_VERDICT_dropped_wrong_side},
	};
	for (const auto &row : rows) {
		CAPTURE(row.what);
		World world;
		CHECK(send(world, row.frame, row.port) == row.verdict);
		CHECK(world.used_lines() == 0);
	}
}

TEST_CASE("policy is asked again unless the handoff proves itself")
{
	World world;
	world.deny();
	auto bytes = bytes_of({});
	CHECK(world.arrive(bytes, inside_port).verdict == NW_VERDICT_denied_by_rule);

	nw_handoff handoff = handoff_for(world, bytes); // decision 0 allows
	nw_handoff other_packet = handoff, older = handoff, denied = handoff, recycled = handoff;
	other_packet.flow_hash++;
	older.generation--;
	denied.decision = 1;
	recycled.magic = 0;
	for (const nw_handoff &lie : {other_packet, older, denied, recycled}) {
		auto copy = bytes;
		CHECK(world.arrive(copy, inside_port, &lie).verdict == NW_VERDICT_denied_by_rule);
	}
	CHECK(world.arrive(bytes, inside_port, &handoff).verdict == NW_VERDICT_forwarded_by_poller);
	CHECK(world.events.all.back().rule == 7);
}

TEST_CASE("a handoff does not open the outside port or this host")
{
	World world;
	auto inbound = bytes_of({.source = server, .destination = client}, outside_port);
	nw_packet packet{};
	nw_parse({inbound.data(), inbound.data() + inbound.size()}, world.config->port[outside_port].mac, 0,
		 &packet);
	nw_handoff handoff{.magic = NW_HANDOFF_MAGIC,
			   .generation = world.active.generation,
			   .decision = 0,
			   .flow_hash = nw_flow_hash(&packet.tuple, world.config->hash_seed)};
	CHECK(world.arrive(inbound, outside_port, &handoff).verdict == NW_VERDICT_dropped_no_flow);

	auto own = bytes_of({.destination = external});
	handoff = handoff_for(world, own);
	CHECK(world.arrive(own, inside_port, &handoff).verdict == NW_VERDICT_dropped_own_address);
}

TEST_CASE("no policy, no SNAT address, no next hop, no port: each fails closed with its verdict")
{
	World no_policy;
	no_policy.active = {};
	CHECK(send(no_policy, {}) == NW_VERDICT_dropped_no_policy);

	World no_address;
	no_address.config->external_count = 0;
	CHECK(send(no_address, {}) == NW_VERDICT_dropped_no_snat_address);

	World no_hop;
	no_hop.hops[outside_hop].mtu_bytes = 0;
	auto bytes = bytes_of({});
	const Outcome outcome = no_hop.arrive(bytes, inside_port);
	CHECK(outcome.verdict == NW_VERDICT_dropped_no_next_hop);
	CHECK(outcome.awaited_hop == outside_hop);
	CHECK(no_hop.used_lines() == 0);

	World full(16);
	for (std::uint16_t port = 1; port <= 8; port++)
		REQUIRE(send(full, {.source_port = port}) == NW_VERDICT_forwarded_by_poller);
	CHECK(send(full, {.source_port = 9}) == NW_VERDICT_dropped_table_full);
	CHECK(full.live_lines() == 16);
}

TEST_CASE("64512 flows to one remote get a port each, the next one is refused and reported")
{
	World world(1 << 20);
	for (std::uint32_t i = 0; i < external_port_count; i++)
		REQUIRE(send(world, {.source = client + i}) == NW_VERDICT_forwarded_by_poller);
	CHECK(send(world, {.source = client + external_port_count}) == NW_VERDICT_dropped_no_port);
	CHECK(world.events.count(NW_EVENT_no_port) == 1);
	CHECK(send(world, {.destination = server + 1}) == NW_VERDICT_forwarded_by_poller);
}

TEST_CASE("an idle UDP flow lives for its whole time and is gone two ticks later")
{
	World world;
	REQUIRE(send(world, {.destination_port = 5000}) == NW_VERDICT_forwarded_by_poller);
	world.wait_s(300);
	CHECK(world.live_lines() == 2);
	world.wait_s(3);
	CHECK(world.live_lines() == 0);
	REQUIRE(world.events.count(NW_EVENT_flow_ended) == 1);
	CHECK(world.events.all.back().reason == NW_END_idle_timeout);
	CHECK(world.tracker->status().active_flows == 0);
	CHECK(world.next_hops.held[inside_hop] == 0);
	CHECK(world.next_hops.held[outside_hop] == 0);
}

TEST_CASE("a packet in either direction keeps a flow alive")
{
	World world;
	const Frame sent{.destination_port = 5000};
	REQUIRE(send(world, sent) == NW_VERDICT_forwarded_by_poller);
	for (int i = 0; i < 5; i++) {
		world.wait_s(200);
		REQUIRE(send(world, reply_to(sent, 40000), outside_port) == NW_VERDICT_forwarded_by_poller);
	}
	CHECK(world.live_lines() == 2);
}

TEST_CASE("each state of TCP has its own time")
{
	const Frame syn{.destination_port = 443, .protocol = NW_PROTOCOL_TCP};
	Frame ack = syn, fin = syn, rst = syn;
	ack.tcp_flags = NW_SEEN_ACK;
	fin.tcp_flags = NW_SEEN_FIN | NW_SEEN_ACK;
	rst.tcp_flags = NW_SEEN_RST;
	Frame syn_ack = reply_to(syn, 40000), fin_back = syn_ack;
	fin_back.tcp_flags = NW_SEEN_FIN | NW_SEEN_ACK;
	const struct {
		const char *what;
		std::vector<Frame> out_then_in_then_out;
		std::uint64_t limit_s;
		nw_end_reason reason;
	} rows[] = {
		{"SYN alone", {syn}, 30, NW_END_idle_timeout},
		{"SYN-ACK came", {syn, syn_ack}, 240, NW_END_idle_timeout},
		{"established", {syn, syn_ack, ack}, 7440, NW_END_idle_timeout},
		{"half-closed", {syn, syn_ack, ack, fin}, 7440, NW_END_idle_timeout},
		{"closed by both", {syn, syn_ack, ack, fin, fin_back}, 240, NW_END_tcp_fin},
		{"reset", {syn, syn_ack, ack, rst}, 240, NW_END_tcp_rst},
	};
	for (const auto &row : rows) {
		CAPTURE(row.what);
		World world;
		for (const Frame &frame : row.out_then_in_then_out)
			REQUIRE(send(world, frame, frame.source == client ? inside_port : outside_port) ==
				NW_VERDICT_forwarded_by_poller);
		world.wait_s(row.limit_s);
		CHECK(world.live_lines() == 2);
		world.wait_s(3);
		CHECK(world.live_lines() == 0);
		CHECK(world.events.all.back().reason == row.reason);
	}
}

TEST_CASE("a port stays reserved while its flow closes and returns when it is gone")
{
	World world;
	Frame syn{.destination_port = 443, .protocol = NW_PROTOCOL_TCP};
	Frame rst = syn;
	rst.tcp_flags = NW_SEEN_RST;
	REQUIRE(send(world, syn) == NW_VERDICT_forwarded_by_poller);
	REQUIRE(send(world, rst) == NW_VERDICT_forwarded_by_poller);
	world.wait_s(60);
	syn.source = client + 1;
	auto other = bytes_of(syn);
	REQUIRE(world.arrive(other, inside_port).verdict == NW_VERDICT_forwarded_by_poller);
	CHECK(look(other).packet.tuple.source_port_be != NW_BE16(40000));

	world.wait_s(240);
	syn.source = client + 2;
	auto third = bytes_of(syn);
	REQUIRE(world.arrive(third, inside_port).verdict == NW_VERDICT_forwarded_by_poller);
	CHECK(look(third).packet.tuple.source_port_be == NW_BE16(40000));
}

TEST_CASE("a flow that a newer policy denies is removed at its next packet")
{
	World world;
	REQUIRE(send(world, {}) == NW_VERDICT_forwarded_by_poller);
	world.allow();
	REQUIRE(send(world, {}) == NW_VERDICT_forwarded_by_poller);
	world.deny();
	CHECK(send(world, {}) == NW_VERDICT_denied_by_rule);
	CHECK(world.live_lines() == 0);
	CHECK(world.events.count(NW_EVENT_flow_denied) == 1);
	CHECK(world.events.all.back().reason == NW_END_policy_deny);
}

TEST_CASE("a denial that XDP reports, by either line, removes the flow")
{
	for (const bool inbound : {false, true}) {
		World world;
		REQUIRE(send(world, {}) == NW_VERDICT_forwarded_by_poller);
		std::uint32_t index = 0;
		while (world.lines[index].sequence == 0 || nw_is_inbound(&world.lines[index]) != inbound)
			index++;
		world.lines[index].seen |= NW_SEEN_DENIED;
		const nw_event event{.kind = NW_EVENT_flow_denied, .line = index};
		world.tracker->on_event(event, world.now_ns);
		CHECK(world.live_lines() == 0);
	}
}

TEST_CASE("an event that names a line of another flow by now does no harm")
{
	World world;
	REQUIRE(send(world, {}) == NW_VERDICT_forwarded_by_poller);
	for (std::uint32_t index : {0u, 5u, 1023u, 1024u, 0xffffffffu})
		world.tracker->on_event({.kind = NW_EVENT_flow_denied, .line = index}, world.now_ns);
	CHECK(world.live_lines() == 2);
}

TEST_CASE("when the SNAT address changes, flows of the old one end")
{
	World world;
	REQUIRE(send(world, {.destination_port = 5000}) == NW_VERDICT_forwarded_by_poller);
	world.config->external[0] = nw_mapped_ipv4(NW_BE32(external + 1));
	world.wait_s(11);
	CHECK(world.live_lines() == 0);
	CHECK(world.events.all.back().reason == NW_END_address_changed);
}

TEST_CASE("when routes change, flows move to their new next hop as soon as it is resolved")
{
	World world;
	constexpr std::uint16_t new_hop = 3;
	REQUIRE(send(world, {.destination_port = 5000}) == NW_VERDICT_forwarded_by_poller);
	world.hops[new_hop] = {.sequence = 2, .mtu_bytes = 0, .port = outside_port};
	world.next_hops.towards_outside = new_hop;
	world.next_hops.epoch++;
	world.wait_s(11);
	CHECK(world.next_hops.held[outside_hop] == 1);
	world.hops[new_hop].mtu_bytes = 1500;
	world.wait_s(11);
	CHECK(world.next_hops.held[outside_hop] == 0);
	CHECK(world.next_hops.held[new_hop] == 1);
	world.hops[outside_hop].mtu_bytes = 0;
	CHECK(send(world, {.destination_port = 5000}) == NW_VERDICT_forwarded_by_poller);
	world.wait_s(310);
	CHECK(world.next_hops.held[new_hop] == 0);
}

TEST_CASE("when all flows are gone, every line is as if it had never been used")
{
	World world(1 << 14);
	for (std::uint16_t port = 1; port <= 1000; port++)
		REQUIRE(send(world, {.source_port = port}) == NW_VERDICT_forwarded_by_poller);
	world.wait_s(20); // udp_dns_s is 10
	CHECK(world.used_lines() == 0);
}

TEST_CASE("totals outlive the wrap of the traffic word")
{
	World world;
	REQUIRE(send(world, {.destination_port = 5000}) == NW_VERDICT_forwarded_by_poller);
	std::uint32_t index = 0;
	while (world.lines[index].sequence == 0 || nw_is_inbound(&world.lines[index]))
		index++;
	const FlowTotals before = world.tracker->notes().totals(index, world.lines[index].traffic);
	const std::uint64_t bytes = (std::uint64_t{1} << NW_TRAFFIC_BYTES_BITS) - 1000;
	for (int i = 0; i < 10; i++) {
		world.lines[index].traffic += (std::uint64_t{50'000'000} << NW_TRAFFIC_BYTES_BITS) + bytes;
		world.lines[index].last_seen_ticks = nw_tick_of(world.now_ns);
		world.wait_s(11);
	}
	const FlowTotals after = world.tracker->notes().totals(index, world.lines[index].traffic);
	CHECK(after.packets - before.packets == 500'000'000);
	CHECK(after.bytes - before.bytes == 10 * bytes);
}

TEST_CASE("the end of a flow names the rule that let it in and what it carried, also after a restart")
{
	World world;
	const Frame frame{.protocol = NW_PROTOCOL_UDP};
	CHECK(send(world, frame) == NW_VERDICT_forwarded_by_poller);
	CHECK(send(world, frame) == NW_VERDICT_forwarded_by_poller);
	world.start();
	CHECK(send(world, frame) == NW_VERDICT_forwarded_by_poller);
	world.wait_s(310);

	REQUIRE(world.events.count(NW_EVENT_flow_ended) == 1);
	const nw_event &end = world.events.all.back();
	CHECK(end.group == 0);
	CHECK(end.rule == 7);
	CHECK(end.generation == world.active.generation);
	CHECK(world.events.ended_traffic.back().out.packets == 3);
	CHECK(world.events.ended_traffic.back().in.packets == 0);
}

TEST_CASE("a packet that the poller denies is counted in its row")
{
	World world;
	world.denials.resize(NW_DENIAL_SETS);
	world.deny();
	for (int i = 0; i < 3; i++)
		CHECK(send(world, {.protocol = NW_PROTOCOL_UDP}) == NW_VERDICT_denied_by_rule);
	auto ping = Frame{.protocol = NW_PROTOCOL_ICMP};
	CHECK(send(world, ping) == NW_VERDICT_denied_by_rule);

	std::vector<nw_denial> counted;
	for (const nw_denial_set &set : world.denials)
		for (const nw_denial &line : set.way)
			if (line.sequence != 0)
				counted.push_back(line);
	REQUIRE(counted.size() == 2);
	const nw_denial &icmp = counted[counted[0].key.protocol == NW_PROTOCOL_ICMP ? 0 : 1];
	const nw_denial &udp = counted[counted[0].key.protocol == NW_PROTOCOL_ICMP ? 1 : 0];
	CHECK(udp.count == 3);
	CHECK(udp.key.destination.word_be[3] == NW_BE32(server));
	CHECK(udp.key.kind == NW_EVENT_denied);
	CHECK(udp.source.word_be[3] == NW_BE32(client));
	CHECK(icmp.count == 1);
	CHECK(icmp.key.service_port_be == NW_BE16(NW_ICMP_ECHO_REQUEST << 8));
}
