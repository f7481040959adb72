// IPv4 addresses as people write them: strict readers, one writer each.
#include "base/address.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace neuwerk {

namespace {

struct NamedProtocol {
	std::string_view name;
	std::uint8_t number;
};
constexpr std::array named_protocols = {NamedProtocol{"icmp", 1}, NamedProtocol{"tcp", 6},
					NamedProtocol{"udp", 17}};

bool same_word(std::string_view text, std::string_view lower)
{
	return std::ranges::equal(text, lower,
				  [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

} // namespace

Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t max)
{
	std::uint64_t value = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > max)
		return fail(ErrorKind::invalid_argument,
			    neuwerk::text("'", text, "' is not a number from 0 to ", max));
	return value;
}

Result<std::uint32_t> parse_ipv4(std::string_view text)
{
	const auto error = fail(ErrorKind::invalid_argument,
				neuwerk::text("'", text, "' is not an IPv4 address such as 192.0.2.1"));
	std::uint32_t address = 0;
	std::string_view rest = text;
	for (int part = 0; part < 4; part++) {
		const std::size_t dot = rest.find('.');
		if ((dot == std::string_view::npos) != (part == 3))
			return error;
		const std::string_view digits = rest.substr(0, dot);
		const auto octet = parse_number(digits, 255);
		if (!octet || (digits.size() > 1 && digits[0] == '0'))
			return error;
		address = address << 8 | static_cast<std::uint32_t>(*octet);
		rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
	}
	return address;
}

std::string format_ipv4(std::uint32_t address)
{
	return text(address >> 24, '.', address >> 16 & 255, '.', address >> 8 & 255, '.', address & 255);
}

Result<Ipv4Network> parse_ipv4_network(std::string_view text)
{
	const std::size_t slash = text.find('/');
	const auto address = parse_ipv4(text.substr(0, slash));
	if (!address)
		return fail(ErrorKind::invalid_argument,
			    neuwerk::text("'", text, "' is not an IPv4 network such as 10.0.0.0/8"));
	if (slash == std::string_view::npos)
		return Ipv4Network{*address, 32};
	const auto length = parse_number(text.substr(slash + 1), 32);
	if (!length)
		return fail(ErrorKind::invalid_argument,
			    neuwerk::text("'", text, "': the prefix length is a number from 0 to 32"));
	const Ipv4Network network{*address & ipv4_mask(static_cast<std::uint8_t>(*length)),
				  static_cast<std::uint8_t>(*length)};
	if (network.address != *address)
		return fail(ErrorKind::invalid_argument,
			    neuwerk::text("'", text, "' has host bits set; the network is ",
					  format_ipv4_network(network)));
	return network;
}

std::string format_ipv4_network(Ipv4Network network)
{
	return text(format_ipv4(network.address), '/', network.length);
}

Result<Endpoint> parse_endpoint(std::string_view text)
{
	const std::size_t colon = text.rfind(':');
	if (colon != std::string_view::npos) {
		const auto address = parse_ipv4(text.substr(0, colon));
		const auto port = parse_number(text.substr(colon + 1), 65535);
		if (address && port)
			return Endpoint{*address, static_cast<std::uint16_t>(*port)};
	}
	return fail(ErrorKind::invalid_argument,
		    neuwerk::text("'", text, "' is not an address and port such as 127.0.0.1:8080"));
}

std::string format_endpoint(Endpoint endpoint)
{
	return text(format_ipv4(endpoint.address), ':', endpoint.port);
}

Result<std::uint8_t> parse_protocol(std::string_view text)
{
	for (const NamedProtocol &protocol : named_protocols)
		if (same_word(text, protocol.name))
			return protocol.number;
	if (const auto number = parse_number(text, 255))
		return static_cast<std::uint8_t>(*number);
	return fail(
		ErrorKind::invalid_argument,
		neuwerk::text("'", text, "' is not a protocol: tcp, udp, icmp or a number from 0 to 255"));
}

std::string format_protocol(std::uint8_t protocol)
{
	for (const NamedProtocol &known : named_protocols)
		if (known.number == protocol)
			return std::string(known.name);
	return text(protocol);
}

} // namespace neuwerk
