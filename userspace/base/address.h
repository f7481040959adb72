// IPv4 addresses as people write them. Values are in host byte order.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace neuwerk {

// Four decimal numbers without leading zeros ("010" is octal to some, decimal to others).
[[nodiscard]] Result<std::uint32_t> parse_ipv4(std::string_view text);
[[nodiscard]] std::string format_ipv4(std::uint32_t address);

struct Ipv4Network {
	std::uint32_t address; // host bits are zero
	std::uint8_t length;   // 0 to 32

	bool operator==(const Ipv4Network &) const = default;
};

// "10.0.0.0/8"; an address without a length is a /32. Host bits must be zero: a typing error shows.
[[nodiscard]] Result<Ipv4Network> parse_ipv4_network(std::string_view text);
[[nodiscard]] std::string format_ipv4_network(Ipv4Network network);

[[nodiscard]] constexpr std::uint32_t ipv4_mask(std::uint8_t length)
{
	return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
}

struct Endpoint {
	std::uint32_t address;
	std::uint16_t port;
};

// "127.0.0.1:8080"
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] std::string format_endpoint(Endpoint endpoint);

// Decimal digits only, the whole of `text`, at most `max`.
[[nodiscard]] Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t max);

// "tcp", "udp", "icmp" in any case, or a number from 0 to 255.
[[nodiscard]] Result<std::uint8_t> parse_protocol(std::string_view text);
[[nodiscard]] std::string format_protocol(std::uint8_t protocol);

} // namespace neuwerk
