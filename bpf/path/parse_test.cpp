// What nw_parse makes of a frame, byte by byte.
#include "path/parse.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::uint8_t port_mac[6] = {0x02, 0, 0, 0, 0x01, 0x02};

// "45 00 .." to bytes; blanks are for the reader.
std::vector<std::uint8_t> bytes_of(std::string_view hex)
{
	std::vector<std::uint8_t> bytes;
	std::string digits;
	for (char c : hex)
		if (c != ' ' && c != '\n')
			digits += c;
	for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
		bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
	return bytes;
}

struct Parsed {
	std::string verdict; // "" when the packet goes on
	nw_tuple tuple;
	nw_packet packet;
};

std::string name_of(nw_verdict verdict)
{
	static const char *const names[] = {
#define NAME(name, fate, why) #name,
		NW_VERDICTS(NAME)
#undef NAME
	};
	return verdict == NW_UNDECIDED ? "" : names[verdict];
}

Parsed parse(std::string_view hex)
{
	auto frame = bytes_of(hex);
	Parsed parsed{};
	parsed.verdict =
		name_of(nw_parse({frame.data(), frame.data() + frame.size()}, port_mac, 7, &parsed.packet));
	parsed.tuple = parsed.packet.tuple;
	return parsed;
}

constexpr std::string_view to_us = "020000000102 020000000101 ";
constexpr std::string_view udp_53 = "9c40 0035 0008 0000";
constexpr std::string_view tcp_syn = "9c40 01bb 00000001 00000000 5002 ffff 0000 0000";

std::string ipv4(std::string_view ip, std::string_view rest = {})
{
	return std::string(to_us) + "0800" + std::string(ip) + std::string(rest);
}

} // namespace

TEST_CASE("a UDP datagram yields its five-tuple in network byte order, and the zone of its port")
{
	const auto parsed = parse(ipv4("45 00 001c 0000 0000 40 11 0000 0a000005 c6336407", udp_53));

	REQUIRE(parsed.verdict == "");
	CHECK(parsed.tuple.source.word_be[3] == NW_BE32(0x0a000005));      // 10.0.0.5
	CHECK(parsed.tuple.source.word_be[2] == NW_BE32(0xffff));          // IPv4-mapped
	CHECK(parsed.tuple.destination.word_be[3] == NW_BE32(0xc6336407)); // 198.51.100.7
	CHECK(parsed.tuple.source_port_be == NW_BE16(40000));
	CHECK(parsed.tuple.destination_port_be == NW_BE16(53));
	CHECK(parsed.tuple.protocol == NW_PROTOCOL_UDP);
	CHECK(parsed.tuple.zone == 7);
}

TEST_CASE("a TCP segment yields its flags, and header options are stepped over")
{
	const auto parsed =
		parse(ipv4("46 00 002c 0000 0000 40 06 0000 0a000005 c6336407 01010101", tcp_syn));

	REQUIRE(parsed.verdict == "");
	CHECK(parsed.packet.tcp_flags == NW_SEEN_SYN);
	CHECK(parsed.tuple.destination_port_be == NW_BE16(443));
	CHECK(parsed.packet.ip_bytes == 44);
}

TEST_CASE("an echo carries its identifier on the side that asked")
{
	const auto request =
		parse(ipv4("45 00 001c 0000 0000 40 01 0000 0a000005 c6336407", "08 00 0000 1234 0001"));
	const auto reply =
		parse(ipv4("45 00 001c 0000 0000 40 01 0000 c6336407 cb007109", "00 00 0000 1234 0001"));

	REQUIRE(request.verdict == "");
	CHECK(request.tuple.source_port_be == NW_BE16(0x1234));
	CHECK(request.tuple.destination_port_be == 0);
	REQUIRE(reply.verdict == "");
	CHECK(reply.tuple.source_port_be == 0);
	CHECK(reply.tuple.destination_port_be == NW_BE16(0x1234));
}

TEST_CASE("padding behind a short datagram is not part of it")
{
	const auto parsed = parse(ipv4("45 00 001c 0000 0000 40 11 0000 0a000005 c6336407",
				       std::string(udp_53) + std::string(36, '0')));

	CHECK(parsed.verdict == "");
	CHECK(parsed.packet.ip_bytes == 28);
}

TEST_CASE("a frame that no policy is asked about ends with its own verdict")
{
	const struct {
		const char *what;
		std::string frame;
		const char *verdict;
	} rows[] = {
		{"ARP", "ffffffffffff 020000000101 0806 0001 0800 06 04 0001", "passed_to_kernel"},
		{"a neighbour solicitation",
		 "3333ff000002 020000000101 86dd 60000000 0018 3a ff" + std::string(64, '0') + "87 00 0000",
		 "passed_to_kernel"},
		{"an ICMPv6 echo",
		 std::string(to_us) + "86dd 60000000 0008 3a 40" + std::string(64, '0') + "80 00 0000",
		 "dropped_ipv6"},
		{"IPv6 UDP", std::string(to_us) + "86dd 60000000 0008 11 40" + std::string(64, '0'),
		 "dropped_ipv6"},
		{"an 802.1Q tag", std::string(to_us) + "8100 0005 0800 4500", "dropped_vlan"},
		{"an 802.1ad tag", std::string(to_us) + "88a8 0005 8100 0005", "dropped_vlan"},
		{"LLDP", "0180c200000e 020000000101 88cc 0207", "dropped_not_ip"},
		{"a DHCP offer to everybody",
		 "ffffffffffff 020000000101 0800 45 00 001c 0000 0000 40 11 0000 0a000001 ffffffff 0043 0044 "
		 "0008 0000",
		 "passed_to_kernel"},
		{"a frame for another MAC",
		 "020000000199 020000000101 0800 45 00 001c 0000 0000 40 11 0000 0a000005 c6336407" +
			 std::string(udp_53),
		 "dropped_not_for_us"},
		{"an IP broadcast",
		 "ffffffffffff 020000000101 0800 45 00 001c 0000 0000 40 11 0000 0a000005 0a0000ff" +
			 std::string(udp_53),
		 "dropped_not_for_us"},
		{"the first fragment", ipv4("45 00 001c 0000 2000 40 11 0000 0a000005 c6336407", udp_53),
		 "dropped_fragment"},
		{"a later fragment", ipv4("45 00 001c 0000 0003 40 11 0000 0a000005 c6336407", udp_53),
		 "dropped_fragment"},
		{"GRE", ipv4("45 00 0018 0000 0000 40 2f 0000 0a000005 c6336407", "00000800"),
		 "dropped_protocol"},
		{"a source of 127.0.0.1", ipv4("45 00 001c 0000 0000 40 11 0000 7f000001 c6336407", udp_53),
		 "dropped_martian"},
		{"a source of 0.0.0.0", ipv4("45 00 001c 0000 0000 40 11 0000 00000000 c6336407", udp_53),
		 "dropped_martian"},
		{"multicast", ipv4("45 00 001c 0000 0000 40 11 0000 0a000005 e0000001", udp_53),
		 "dropped_martian"},
	};
	for (const auto &row : rows) {
		CAPTURE(row.what);
		CHECK(parse(row.frame).verdict == row.verdict);
	}
}

TEST_CASE("a header that lies about its length is malformed, never read past")
{
	const struct {
		const char *what;
		std::string frame;
	} lies[] = {
		{"an empty frame", ""},
		{"a frame that ends inside the ethernet header", "020000000102 0200"},
		{"IPv6 cut short", std::string(to_us) + "86dd 60000000"},
		{"version 4 under the ethertype of version 6",
		 std::string(to_us) + "86dd 45" + std::string(80, '0')},
		{"a header of 4 words, one less than the minimum",
		 ipv4("44 00 001c 0000 0000 40 11 0000 0a000005 c6336407", udp_53)},
		{"a header of 15 words in a frame that holds 7",
		 ipv4("4f 00 001c 0000 0000 40 11 0000 0a000005 c6336407", udp_53)},
		{"version 6 under the ethertype of version 4",
		 ipv4("65 00 001c 0000 0000 40 11 0000 0a000005 c6336407", udp_53)},
		{"a datagram longer than the frame",
		 ipv4("45 00 001d 0000 0000 40 11 0000 0a000005 c6336407", udp_53)},
		{"a datagram shorter than its header",
		 ipv4("45 00 0013 0000 0000 40 11 0000 0a000005 c6336407", udp_53)},
		{"ports cut in half", ipv4("45 00 0016 0000 0000 40 11 0000 0a000005 c6336407", "9c40")},
		{"a UDP length below its header",
		 ipv4("45 00 001c 0000 0000 40 11 0000 0a000005 c6336407", "9c40 0035 0007 0000")},
		{"a UDP length beyond the datagram",
		 ipv4("45 00 001c 0000 0000 40 11 0000 0a000005 c6336407", "9c40 0035 0009 0000")},
		{"a TCP header of 4 words", ipv4("45 00 0028 0000 0000 40 06 0000 0a000005 c6336407",
						 "9c40 01bb 00000001 00000000 4002 ffff 0000 0000")},
		{"TCP options beyond the datagram", ipv4("45 00 0028 0000 0000 40 06 0000 0a000005 c6336407",
							 "9c40 01bb 00000001 00000000 6002 ffff 0000 0000")},
		{"a TCP header that only the padding completes",
		 ipv4("45 00 0020 0000 0000 40 06 0000 0a000005 c6336407", tcp_syn)},
		{"half an ICMP header",
		 ipv4("45 00 0018 0000 0000 40 01 0000 0a000005 c6336407", "08000000")},
	};
	for (const auto &lie : lies) {
		CAPTURE(lie.what);
		CHECK(parse(lie.frame).verdict == "dropped_malformed");
	}
}
