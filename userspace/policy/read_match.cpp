// Reads what a rule matches: addresses, protocol, ports, ICMP and names (spec/dataplane §1.2 to §1.4).
#include "policy/read.h"

#include "base/address.h"
#include "base/text.h"
#include "policy/regex.h"

#include <algorithm>

namespace neuwerk::policy {

namespace {

constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint32_t port_max = 65535;
constexpr std::uint32_t octet_max = 255;

std::optional<std::uint16_t> as_port(std::string_view word)
{
	const auto number = parse_number(trimmed(word), port_max);
	return number ? std::optional(static_cast<std::uint16_t>(*number)) : std::nullopt;
}

model::PortRange as_port_range(Reading &reading, std::string_view word, const Path &path)
{
	const std::size_t dash = word.find('-');
	const auto first = as_port(word.substr(0, dash));
	const auto last = dash == std::string_view::npos ? first : as_port(word.substr(dash + 1));
	if (!first || !last)
		reading.fail("E_PORT", path,
			     text(quoted(word), " is not a port (0 to 65535) or a range of ports"));
	else if (*first > *last)
		reading.fail("E_PORT", path, text(quoted(word), ": the range ends before it starts"));
	return {first.value_or(0), last.value_or(0)};
}

std::vector<model::PortRange> read_ports(Reading &reading, Object &object, std::string_view key)
{
	std::vector<model::PortRange> ports;
	object.each(key, [&](const Node &item, const Path &path) {
		if (item.kind == Node::Kind::text) {
			ports.push_back(as_port_range(reading, item.text, path));
			return;
		}
		const auto port = static_cast<std::uint16_t>(as_number(reading, item, path, port_max));
		ports.push_back({port, port});
	});
	return ports;
}

// Absent: any.
std::optional<std::uint8_t> read_protocol(Reading &reading, Object &object)
{
	const Node *node = object.find("proto");
	const Path path = object.path("proto");
	if (!node)
		return std::nullopt;
	if (node->kind == Node::Kind::integer)
		return static_cast<std::uint8_t>(as_number(reading, *node, path, octet_max));
	const std::string word = lower_case(as_text(reading, *node, path));
	if (word == "any")
		return std::nullopt;
	const auto protocol = parse_protocol(word);
	if (!protocol)
		reading.fail("E_PROTO", path,
			     text(quoted(word), " is not any, tcp, udp, icmp or a number from 0 to 255"));
	return protocol.value_or(0);
}

std::vector<std::uint8_t> read_octets(Reading &reading, Object &object, std::string_view key)
{
	std::vector<std::uint8_t> octets;
	object.each(key, [&](const Node &item, const Path &path) {
		octets.push_back(static_cast<std::uint8_t>(as_number(reading, item, path, octet_max)));
	});
	return octets;
}

std::optional<std::string> read_hostname(Reading &reading, Object &object)
{
	const auto word = object.optional_text("dns_hostname");
	if (!word)
		return std::nullopt;
	const Path path = object.path("dns_hostname");
	const std::string pattern(trimmed(*word));
	if (pattern.empty()) {
		reading.fail("E_DNS_EMPTY", path, "blank: a pattern must say something");
		return pattern;
	}
	std::string problem = problem_of_regex(pattern, Case::insensitive);
	if (problem.empty())
		return pattern;
	if (pattern.starts_with("*.")) {
		std::string name = pattern.substr(2);
		for (std::size_t dot = 0; (dot = name.find('.', dot)) != std::string::npos; dot += 2)
			name.insert(dot, 1, '\\');
		problem += ": for a domain and everything below it write (^|.*\\.)" + name + "$";
	}
	reading.fail("E_DNS_REGEX", path, text(quoted(pattern), " is not a regular expression: ", problem));
	return pattern;
}

void check_combinations(Reading &reading, Object &object, const model::Match &match)
{
	const bool any = !match.protocol;
	const bool has_icmp = !match.icmp_types.empty() || !match.icmp_codes.empty();
	const bool has_ports = !match.source_ports.empty() || !match.destination_ports.empty();
	if (match.tls && !any && *match.protocol != protocol_tcp)
		reading.fail("E_TLS_PROTO", object.path("tls"),
			     "TLS runs over TCP: proto must be tcp or any");
	if (has_icmp && !any && *match.protocol != protocol_icmp)
		reading.fail("E_ICMP_PROTO",
			     object.path(match.icmp_types.empty() ? "icmp_codes" : "icmp_types"),
			     "proto must be icmp or any");
	if (has_ports && match.protocol == protocol_icmp)
		reading.fail("E_ICMP_PORTS",
			     object.path(match.destination_ports.empty() ? "src_ports" : "dst_ports"),
			     "ICMP has no ports");
}

void read_prefix(Reading &reading, std::string_view word, const Path &path, std::vector<model::Prefix> &out)
{
	const std::size_t slash = word.find('/');
	const auto address = parse_ipv4(word.substr(0, slash));
	if (!address) {
		reading.fail("E_IP", path, text(quoted(word), " is not an IPv4 address or prefix"));
		return;
	}
	const auto length = slash == std::string_view::npos ? Result<std::uint64_t>(32)
							    : parse_number(word.substr(slash + 1), 32);
	if (!length) {
		reading.fail("E_PREFIX", path,
			     text(quoted(word), ": a prefix length is a number from 0 to 32"));
		return;
	}
	const auto bits = static_cast<std::uint8_t>(*length);
	out.push_back({*address & ipv4_mask(bits), bits});
}

} // namespace

void read_prefixes(Reading &reading, Object &object, std::string_view key, std::vector<model::Prefix> &out)
{
	object.each(key, [&](const Node &item, const Path &path) {
		read_prefix(reading, trimmed(as_text(reading, item, path)), path, out);
	});
}

void read_addresses(Reading &reading, Object &object, std::string_view key, std::vector<model::Prefix> &out)
{
	object.each(key, [&](const Node &item, const Path &path) {
		const std::string_view word = trimmed(as_text(reading, item, path));
		const auto address = parse_ipv4(word);
		if (!address)
			reading.fail("E_IP", path, text(quoted(word), " is not a single IPv4 address"));
		out.push_back({address.value_or(0), 32});
	});
}

model::Match read_match(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	model::Match match;
	read_prefixes(reading, object, "dst_cidrs", match.destinations);
	read_addresses(reading, object, "dst_ips", match.destinations);
	match.dns_hostname = read_hostname(reading, object);
	match.protocol = read_protocol(reading, object);
	match.source_ports = read_ports(reading, object, "src_ports");
	match.destination_ports = read_ports(reading, object, "dst_ports");
	match.icmp_types = read_octets(reading, object, "icmp_types");
	match.icmp_codes = read_octets(reading, object, "icmp_codes");
	if (const Node *tls = object.find("tls"))
		match.tls = read_tls(reading, *tls, object.path("tls"));
	check_combinations(reading, object, match);
	if (match.protocol == protocol_icmp && match.icmp_types.empty() && match.icmp_codes.empty()) {
		// Echo reply, unreachable (net, fragmentation needed) and time exceeded; not the echo
		// request.
		match.icmp_types = {0, 3, 11};
		match.icmp_codes = {0, 4};
	}
	return match;
}

} // namespace neuwerk::policy
