// Incremental checksums against the full sum, for random changes (spec/dataplane §8 case 67).
#include "path/rewrite.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace {

// RFC 1071, written to be read: the truth that the increments are held against.
std::uint16_t full_sum(const std::uint8_t *bytes, std::size_t count, std::uint32_t sum = 0)
{
	for (std::size_t i = 0; i + 1 < count; i += 2)
		sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
	if (count & 1)
		sum += static_cast<std::uint32_t>(bytes[count - 1] << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return static_cast<std::uint16_t>(sum);
}

struct Frame {
	std::vector<std::uint8_t> bytes;
	std::uint8_t protocol;

	std::uint8_t *ip()
	{
		return bytes.data() + NW_ETHERNET_BYTES;
	}
	std::uint8_t *l4()
	{
		return ip() + NW_IPV4_MIN_BYTES;
	}
	std::size_t l4_bytes() const
	{
		return bytes.size() - NW_ETHERNET_BYTES - NW_IPV4_MIN_BYTES;
	}
	std::size_t checksum_offset() const
	{
		return protocol == NW_PROTOCOL_TCP ? 16 : protocol == NW_PROTOCOL_UDP ? 6 : 2;
	}
	std::uint32_t pseudo_header()
	{
		if (protocol == NW_PROTOCOL_ICMP)
			return 0;
		return full_sum(ip() + 12, 8) + protocol + static_cast<std::uint32_t>(l4_bytes());
	}
	// 0xffff when correct (the sum over a datagram includes its checksum)
	std::uint16_t ip_sum()
	{
		return full_sum(ip(), NW_IPV4_MIN_BYTES);
	}
	std::uint16_t l4_sum()
	{
		return full_sum(l4(), l4_bytes(), pseudo_header());
	}
};

Frame random_frame(std::mt19937 &random, std::uint8_t protocol)
{
	Frame frame{std::vector<std::uint8_t>(NW_ETHERNET_BYTES + NW_IPV4_MIN_BYTES + 20 + random() % 64),
		    protocol};
	for (auto &byte : frame.bytes)
		byte = static_cast<std::uint8_t>(random());
	const std::size_t total = frame.bytes.size() - NW_ETHERNET_BYTES;
	const std::uint8_t fixed[12] = {0x45,
					0,
					static_cast<std::uint8_t>(total >> 8),
					static_cast<std::uint8_t>(total),
					0,
					0,
					0,
					0,
					64,
					protocol,
					0,
					0};
	std::memcpy(frame.ip(), fixed, sizeof(fixed));
	const std::uint8_t ethernet[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
	std::memcpy(frame.bytes.data(), ethernet, sizeof(ethernet));
	frame.ip()[12] = 10;
	frame.ip()[16] = 198;
	if (protocol == NW_PROTOCOL_TCP)
		frame.l4()[12] = 5 << 4;
	if (protocol == NW_PROTOCOL_UDP) {
		frame.l4()[4] = static_cast<std::uint8_t>(frame.l4_bytes() >> 8);
		frame.l4()[5] = static_cast<std::uint8_t>(frame.l4_bytes());
	}
	if (protocol == NW_PROTOCOL_ICMP)
		frame.l4()[0] = NW_ICMP_ECHO_REQUEST;
	auto set = [](std::uint8_t *at, std::uint16_t value) {
		at[0] = static_cast<std::uint8_t>(value >> 8);
		at[1] = static_cast<std::uint8_t>(value);
	};
	set(frame.ip() + 10, 0);
	set(frame.ip() + 10, static_cast<std::uint16_t>(~frame.ip_sum()));
	set(frame.l4() + frame.checksum_offset(), 0);
	const auto sum = static_cast<std::uint16_t>(~frame.l4_sum());
	set(frame.l4() + frame.checksum_offset(), protocol == NW_PROTOCOL_UDP && sum == 0 ? 0xffff : sum);
	return frame;
}

nw_flow_line random_line(std::mt19937 &random, const nw_packet &packet, bool inbound)
{
	nw_flow_line line{};
	line.kind = inbound ? NW_LINE_INBOUND : 0;
	line.protocol = packet.tuple.protocol;
	line.inside = nw_mapped_ipv4(random());
	line.inside_port_be = static_cast<__be16>(random());
	line.external_port_be = static_cast<__be16>(random());
	return line;
}

} // namespace

TEST_CASE("rewriting a random packet of any protocol leaves every checksum correct")
{
	std::mt19937 random(20'26);
	nw_config config{};
	nw_next_hop hop{};
	for (int i = 0; i < 30'000; i++) {
		const std::uint8_t protocols[] = {NW_PROTOCOL_TCP, NW_PROTOCOL_UDP, NW_PROTOCOL_ICMP};
		Frame frame = random_frame(random, protocols[i % 3]);
		REQUIRE(frame.ip_sum() == 0xffff);
		REQUIRE(frame.l4_sum() == 0xffff);
		nw_packet packet{};
		REQUIRE(nw_parse({frame.bytes.data(), frame.bytes.data() + frame.bytes.size()},
				 frame.bytes.data(), 0, &packet) == NW_UNDECIDED);
		config.external[0] = nw_mapped_ipv4(random());
		const nw_flow_line line = random_line(random, packet, i % 2);

		nw_rewrite(&packet, &line, &config, &hop);

		CAPTURE(i);
		CHECK(frame.ip_sum() == 0xffff);
		CHECK(frame.l4_sum() == 0xffff);
		CHECK(frame.ip()[8] == 63); // TTL
	}
}

TEST_CASE("a UDP datagram without a checksum stays without one")
{
	CHECK(nw_udp_checksum_after(0, nw_changed32(NW_BE32(1), NW_BE32(2))) == 0);
}

TEST_CASE("a UDP checksum that comes out as zero is sent as all ones")
{
	CHECK(nw_udp_checksum_after(NW_BE16(0x0001), nw_changed16(0, NW_BE16(0x0001))) == 0xffff);
}
