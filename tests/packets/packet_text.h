// A packet as one readable line, and as the frame that it means.
//
//	10.0.0.2:40000 198.51.100.10:443 tcp SYN,ACK ttl 64 payload 10
//	10.0.0.2:77 198.51.100.10 icmp echo-request          the identifier is the port of the side that asked
//	198.51.100.10 203.0.113.1:77 icmp echo-reply
//	10.0.0.2 198.51.100.10 icmp 3/1
//	10.0.0.2 198.51.100.10 proto 47
// Options, in any order: ttl N (64), payload N bytes (0), checksum none (UDP), fragment, vlan.
// A port may be a name ($p): bound by the first packet that leaves with it, known from then on.
#pragma once

#include "base/result.h"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::packets {

using Mac = std::array<std::uint8_t, 6>;
using Names = std::map<std::string, std::uint16_t>; // "$p" → port, host byte order

struct PacketText {
	std::uint32_t source = 0; // host byte order
	std::uint32_t destination = 0;
	std::string source_port = "0"; // number or name
	std::string destination_port = "0";
	std::uint8_t protocol = 0;
	std::uint8_t tcp_flags = 0;
	std::uint8_t icmp_type = 0;
	std::uint8_t icmp_code = 0;
	std::uint8_t ttl = 64;
	std::uint16_t payload_bytes = 0;
	bool has_checksum = true;
	bool is_fragment = false;
	bool has_vlan = false;
};

[[nodiscard]] Result<PacketText> read_packet(std::string_view line);

// Fails when a name is not bound.
[[nodiscard]] Result<std::vector<std::uint8_t>> frame_of(const PacketText &packet, const Names &names,
							 const Mac &destination, const Mac &source);

// A frame as a line in the form above: with its ttl unless 64, its payload size unless 0, and " BAD IP
// CHECKSUM" or " BAD CHECKSUM" behind it when a checksum is wrong.
[[nodiscard]] std::string line_of(std::span<const std::uint8_t> frame);

// The line that `packet` would give, with names replaced; a name that is not bound stays as it is written.
[[nodiscard]] std::string line_of(const PacketText &packet, const Names &names);

// Binds the unbound names of `packet` from a frame of the same shape.
void bind_names(const PacketText &packet, std::span<const std::uint8_t> frame, Names &names);

} // namespace neuwerk::packets
