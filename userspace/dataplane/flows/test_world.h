// A small appliance in memory for the tests of flows/: two ports, one policy, next hops that are always
// there.
#pragma once

#include "dataplane/flows/tracker.h"

#include "path/flow.h"
#include "path/parse.h"
#include "path/track.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <vector>

namespace neuwerk::dataplane::test {

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::uint8_t inside_port = 0, outside_port = 1;
constexpr std::uint16_t outside_hop = 1, inside_hop = 2;

constexpr std::uint32_t client = 0x0a000005;   // 10.0.0.5
constexpr std::uint32_t server = 0xc6336407;   // 198.51.100.7
constexpr std::uint32_t external = 0xcb007109; // 203.0.113.9

// 10.0.0.0/8 lies inside, everything else outside.
struct FixedHops final : NextHops {
	std::uint16_t resolve(__be32 address_be) override
	{
		return NW_HOST32(address_be) >> 24 == 10 ? inside_hop : towards_outside;
	}
	bool hold(std::uint16_t index) override
	{
		held[index]++;
		return index == inside_hop || index == towards_outside;
	}
	void release(std::uint16_t index) override
	{
		held[index]--;
	}
	[[nodiscard]] std::uint32_t route_epoch() const override
	{
		return epoch;
	}
	std::uint16_t towards_outside = outside_hop;
	std::uint32_t epoch = 0;
	int held[4] = {};
};

struct Events final : EventSink {
	void event(const nw_event &event, const FlowTraffic &traffic) override
	{
		all.push_back(event);
		if (event.kind == NW_EVENT_flow_ended)
			ended_traffic.push_back(traffic);
	}
	[[nodiscard]] int count(nw_event_kind kind) const
	{
		int found = 0;
		for (const nw_event &event : all)
			found += event.kind == kind;
		return found;
	}
	std::vector<nw_event> all;
	std::vector<FlowTraffic> ended_traffic;
};

struct World {
	explicit World(std::uint32_t line_count = 1024) : lines(line_count), hops(4)
	{
		config = std::make_unique<nw_config>();
		config->flow_line_mask = line_count - 1;
		config->hash_seed = 0x1234567890abcdef;
		config->event_interval_ns = 1;
		config->policy_node_limit = 1;
		config->policy_decision_limit = 2;
		config->snat_mode = NW_SNAT_STATIC;
		config->external_count = 1;
		config->external[0] = nw_mapped_ipv4(NW_BE32(external));
		config->own_address_count = 1;
		config->own_address_be[0] = NW_BE32(external);
		config->port_count = 2;
		config->port[inside_port] = {
			.mtu_bytes = 1500, .side = NW_SIDE_INSIDE, .mac = {2, 0, 0, 0, 0, 1}};
		config->port[outside_port] = {
			.mtu_bytes = 1500, .side = NW_SIDE_OUTSIDE, .mac = {2, 0, 0, 0, 0, 2}};
		config->timeouts = {.tcp_established_s = 7440,
				    .tcp_half_open_s = 30,
				    .tcp_transitory_s = 240,
				    .tcp_closing_s = 240,
				    .udp_s = 300,
				    .udp_dns_s = 10,
				    .icmp_s = 60};
		hops[outside_hop] = {.sequence = 2, .mtu_bytes = 1500, .port = outside_port};
		hops[inside_hop] = {.sequence = 2, .mtu_bytes = 1500, .port = inside_port};
		allow();
	}

	// Publishes generation + 1; decision 1 of each half denies.
	void decide(std::uint32_t decision)
	{
		const std::uint32_t half = (active.generation + 1) & 1;
		decisions[half * 2] = {.verdict = NW_VERDICT_forwarded_in_xdp, .rule = 7};
		decisions[half * 2 + 1] = {.verdict = NW_VERDICT_denied_by_rule};
		active.root[half] = NW_REF(NW_FIELD_DECISION, decision);
		active.generation++;
	}
	void allow()
	{
		decide(0);
	}
	void deny()
	{
		decide(1);
	}

	// A poller that starts on whatever the table holds.
	void start()
	{
		tracker.reset();
		tracker = std::make_unique<Tracker>(
			DataplaneMemory{config.get(), &active, nodes, decisions, lines, hops, denials},
			next_hops, events, [this] { return random = random * 1664525 + 1013904223; }, now_ns);
	}

	Outcome arrive(std::vector<std::uint8_t> &frame, std::uint8_t port,
		       const nw_handoff *handoff = nullptr)
	{
		if (!tracker)
			start();
		return tracker->handle(frame, port, handoff, now_ns);
	}

	// Time passes, and the poller does what is due.
	void wait_s(std::uint64_t seconds)
	{
		for (std::uint64_t i = 0; i < seconds * 10; i++) {
			now_ns += second_ns / 10;
			tracker->advance(now_ns, 1 << 20);
		}
	}

	[[nodiscard]] int live_lines() const
	{
		int live = 0;
		for (const nw_flow_line &line : lines)
			live += line.sequence != 0 && line.protocol != NW_LINE_PROTOCOL_DEAD;
		return live;
	}
	[[nodiscard]] int used_lines() const
	{
		int used = 0;
		for (const nw_flow_line &line : lines)
			used += line.sequence != 0;
		return used;
	}

	std::unique_ptr<nw_config> config;
	nw_policy_active active{};
	std::vector<nw_policy_node> nodes{2};
	std::vector<nw_decision> decisions{4};
	std::vector<nw_flow_line> lines;
	std::vector<nw_denial_set> denials; // the poller's row; empty: none
	std::vector<nw_next_hop> hops;
	FixedHops next_hops;
	Events events;
	std::uint64_t now_ns = 1'000 * second_ns;
	std::uint32_t random = 1;
	std::unique_ptr<Tracker> tracker;
};

struct Frame {
	std::uint32_t source = client;
	std::uint32_t destination = server;
	std::uint16_t source_port = 40000; // ICMP: identifier
	std::uint16_t destination_port = 53;
	std::uint8_t protocol = NW_PROTOCOL_UDP;
	std::uint8_t tcp_flags = NW_SEEN_SYN;
	std::uint8_t icmp_type = NW_ICMP_ECHO_REQUEST;
	std::uint8_t ttl = 64;
	std::uint16_t payload_bytes = 4;
};

// One's-complement sum over 16-bit words (RFC 1071), as it stands in the header.
inline std::uint16_t checksum_of(const std::uint8_t *bytes, std::size_t count, std::uint32_t sum = 0)
{
	for (std::size_t i = 0; i < count; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return static_cast<std::uint16_t>(~sum);
}

// What the checksum of TCP or UDP covers before its header.
inline std::uint32_t pseudo_header(const nw_wire_ipv4 &ip, std::size_t bytes)
{
	const std::uint32_t source = NW_HOST32(ip.source_be), destination = NW_HOST32(ip.destination_be);
	return (source >> 16) + (source & 0xffff) + (destination >> 16) + (destination & 0xffff) +
	       ip.protocol + static_cast<std::uint32_t>(bytes);
}

inline std::vector<std::uint8_t> bytes_of(const Frame &frame, std::uint8_t port = inside_port)
{
	const bool is_tcp = frame.protocol == NW_PROTOCOL_TCP;
	const std::size_t header_bytes = is_tcp ? NW_TCP_MIN_BYTES : NW_UDP_BYTES;
	const std::size_t l4_bytes = header_bytes + frame.payload_bytes;
	std::vector<std::uint8_t> bytes(NW_ETHERNET_BYTES + NW_IPV4_MIN_BYTES + l4_bytes, 0x5a);
	nw_wire_ethernet ethernet{.destination = {2, 0, 0, 0, 0, static_cast<std::uint8_t>(port + 1)},
				  .source = {2, 0, 0, 0, 1, 1},
				  .ethertype_be = NW_BE16(NW_ETHERTYPE_IPV4)};
	nw_wire_ipv4 ip{.version_and_words = 0x45,
			.total_bytes_be = NW_BE16(NW_IPV4_MIN_BYTES + l4_bytes),
			.ttl = frame.ttl,
			.protocol = frame.protocol,
			.source_be = NW_BE32(frame.source),
			.destination_be = NW_BE32(frame.destination)};
	ip.checksum_be = NW_BE16(checksum_of(reinterpret_cast<std::uint8_t *>(&ip), sizeof(ip)));
	std::uint8_t *l4 = bytes.data() + NW_ETHERNET_BYTES + NW_IPV4_MIN_BYTES;
	std::uint32_t covered = pseudo_header(ip, l4_bytes);
	std::size_t checksum_at = 6;
	if (is_tcp) {
		nw_wire_tcp tcp{.source_be = NW_BE16(frame.source_port),
				.destination_be = NW_BE16(frame.destination_port),
				.words_and_reserved = 0x50,
				.flags = frame.tcp_flags};
		std::memcpy(l4, &tcp, sizeof(tcp));
		checksum_at = 16;
	} else if (frame.protocol == NW_PROTOCOL_UDP) {
		nw_wire_udp udp{.source_be = NW_BE16(frame.source_port),
				.destination_be = NW_BE16(frame.destination_port),
				.bytes_be = NW_BE16(l4_bytes)};
		std::memcpy(l4, &udp, sizeof(udp));
	} else {
		nw_wire_icmp icmp{.type = frame.icmp_type, .identifier_be = NW_BE16(frame.source_port)};
		std::memcpy(l4, &icmp, sizeof(icmp));
		covered = 0;
		checksum_at = 2;
	}
	const std::uint16_t checksum = checksum_of(l4, l4_bytes, covered);
	l4[checksum_at] = checksum >> 8;
	l4[checksum_at + 1] = checksum & 0xff;
	std::memcpy(bytes.data(), &ethernet, sizeof(ethernet));
	std::memcpy(bytes.data() + NW_ETHERNET_BYTES, &ip, sizeof(ip));
	return bytes;
}

struct Seen {
	nw_packet packet;
	bool checksums_hold;
};

// What a host behind the appliance makes of a frame.
inline Seen look(std::vector<std::uint8_t> &frame)
{
	Seen seen{};
	const std::uint8_t no_mac[6] = {};
	std::memset(frame.data(), 0, 6);
	if (nw_parse({frame.data(), frame.data() + frame.size()}, no_mac, 0, &seen.packet) != NW_UNDECIDED)
		return seen;
	const auto *ip = frame.data() + NW_ETHERNET_BYTES;
	const auto *l4 = ip + NW_IPV4_MIN_BYTES;
	const std::size_t l4_bytes = seen.packet.ip_bytes - NW_IPV4_MIN_BYTES;
	const std::uint32_t covered =
		seen.packet.tuple.protocol == NW_PROTOCOL_ICMP ? 0 : pseudo_header(*seen.packet.ip, l4_bytes);
	seen.checksums_hold =
		checksum_of(ip, NW_IPV4_MIN_BYTES) == 0 && checksum_of(l4, l4_bytes, covered) == 0;
	return seen;
}

} // namespace neuwerk::dataplane::test
