// The filters of the wiretap as one question about a flow; the only file of this room that sees RE2.
#include "api/diagnostics_query.h"

#include "api/spelling.h"
#include "base/address.h"
#include "base/text.h"

#include <re2/re2.h>

#include <algorithm>
#include <memory>

namespace neuwerk::api {

namespace {

constexpr std::int64_t regex_limit_bytes = 1 << 20; // of one compiled pattern, as in a policy

struct PortRange {
	std::uint16_t first, last;
};

// OR within a list, AND across; an empty list: all.
struct Wanted {
	std::vector<Ipv4Network> sources, destinations;
	std::vector<std::unique_ptr<RE2>> hostnames;
	std::vector<std::uint8_t> protocols;
	std::vector<PortRange> source_ports, destination_ports;
};

tl::unexpected<Error> refused(std::string_view key, std::string_view value, std::string_view why)
{
	return fail(ErrorKind::invalid_argument, text("invalid ", key, " value: ", value, ": ", why));
}

// "10.0.0.0/8" or "10.0.0.7"; host bits are allowed, as everybody types them.
Result<Ipv4Network> read_network(std::string_view key, std::string_view value)
{
	const auto slash = value.find('/');
	const auto address = parse_ipv4(value.substr(0, slash));
	if (!address)
		return refused(key, value, "neither an IPv4 address nor a CIDR");
	std::uint8_t length = 32;
	if (slash != std::string_view::npos) {
		const auto number = parse_number(value.substr(slash + 1), 32);
		if (!number)
			return refused(key, value, "a prefix length is 0 to 32");
		length = static_cast<std::uint8_t>(*number);
	}
	return Ipv4Network{*address & ipv4_mask(length), length};
}

// "443" or "1000-2000"
Result<PortRange> read_ports(std::string_view key, std::string_view value)
{
	const auto dash = value.find('-');
	const auto first = parse_number(value.substr(0, dash), 65535);
	const auto last =
		dash == std::string_view::npos ? first : parse_number(value.substr(dash + 1), 65535);
	if (!first || !last)
		return refused(key, value, "neither a port (0 to 65535) nor a range of ports");
	if (*first > *last)
		return refused(key, value, "the range ends before it starts");
	return PortRange{static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

// Calls `read` with each value of the key that is not blank; the first error stays.
template <typename Read>
Result<> each_value(const Call &call, std::string_view key, const Read &read)
{
	for (const std::string &raw : call.query_values(key)) {
		const std::string_view value = trimmed(raw);
		if (value.empty())
			continue;
		if (auto done = read(value); !done)
			return done;
	}
	return {};
}

template <typename Value>
Result<> collect(const Call &call, std::string_view key,
		 Result<Value> (*read)(std::string_view key, std::string_view value),
		 std::vector<Value> &into)
{
	return each_value(call, key, [&](std::string_view value) -> Result<> {
		const auto one = read(key, value);
		if (!one)
			return tl::unexpected(one.error());
		into.push_back(*one);
		return {};
	});
}

Result<> collect_hostnames(const Call &call, Wanted &wanted)
{
	return each_value(call, "hostname", [&](std::string_view value) -> Result<> {
		RE2::Options options;
		options.set_max_mem(regex_limit_bytes);
		options.set_case_sensitive(false);
		options.set_log_errors(false);
		auto pattern = std::make_unique<RE2>(re2::StringPiece(value.data(), value.size()), options);
		if (!pattern->ok())
			return refused("hostname", value, pattern->error());
		wanted.hostnames.push_back(std::move(pattern));
		return {};
	});
}

Result<> collect_protocols(const Call &call, Wanted &wanted)
{
	bool is_any = false;
	auto read = each_value(call, "proto", [&](std::string_view value) -> Result<> {
		if (lower(value) == "any") {
			is_any = true;
			return {};
		}
		const auto protocol = parse_protocol(value);
		if (!protocol)
			return refused("proto", value, "neither any, tcp, udp, icmp nor 0 to 255");
		wanted.protocols.push_back(*protocol);
		return {};
	});
	if (is_any)
		wanted.protocols.clear();
	return read;
}

bool has_address(const std::vector<Ipv4Network> &networks, std::uint32_t address)
{
	return networks.empty() || std::ranges::any_of(networks, [&](const Ipv4Network &network) {
		       return (address & ipv4_mask(network.length)) == network.address;
	       });
}

bool has_port(const std::vector<PortRange> &ranges, std::uint16_t port)
{
	return ranges.empty() || std::ranges::any_of(ranges, [&](const PortRange &range) {
		       return range.first <= port && port <= range.last;
	       });
}

bool has_hostname(const std::vector<std::unique_ptr<RE2>> &patterns, std::string_view hostname)
{
	if (patterns.empty())
		return true;
	const re2::StringPiece name(hostname.data(), hostname.size());
	return !hostname.empty() && std::ranges::any_of(patterns, [&](const auto &pattern) {
		return RE2::PartialMatch(name, *pattern);
	});
}

bool wants(const Wanted &wanted, const WiretapFlow &flow)
{
	const bool has_protocol =
		wanted.protocols.empty() ||
		std::ranges::find(wanted.protocols, flow.protocol) != wanted.protocols.end();
	return has_protocol && has_address(wanted.sources, flow.source) &&
	       has_address(wanted.destinations, flow.destination) &&
	       has_port(wanted.source_ports, flow.source_port) &&
	       has_port(wanted.destination_ports, flow.destination_port) &&
	       has_hostname(wanted.hostnames, flow.hostname);
}

} // namespace

Result<WiretapFilter> wiretap_filter(const Call &call)
{
	const auto wanted = std::make_shared<Wanted>();
	for (const auto &read :
	     {collect(call, "src_cidr", read_network, wanted->sources),
	      collect(call, "dst_cidr", read_network, wanted->destinations), collect_hostnames(call, *wanted),
	      collect_protocols(call, *wanted), collect(call, "src_port", read_ports, wanted->source_ports),
	      collect(call, "dst_port", read_ports, wanted->destination_ports)})
		if (!read)
			return tl::unexpected(read.error());
	return [wanted](const WiretapFlow &flow) { return wants(*wanted, flow); };
}

} // namespace neuwerk::api
