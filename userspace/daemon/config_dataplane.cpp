// The dataplane section of config.yaml: ports, SNAT, timeouts, sizes and rates.
#include "daemon/config_sections.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <cctype>

namespace neuwerk::daemon {

namespace {

constexpr std::uint32_t timeout_max_s = 28'800; // abi/config.h: last_seen_ticks wraps at 18 h

Result<> read_side(const std::string &written, nw_side &out)
{
	for (const nw_side side : {NW_SIDE_INSIDE, NW_SIDE_OUTSIDE, NW_SIDE_BOTH})
		if (written == side_name(side)) {
			out = side;
			return {};
		}
	return refuse(text('\'', written, "' is not inside, outside or both"));
}

Result<> read_address(const std::string &written, std::uint32_t &out)
{
	const auto address = parse_ipv4(written);
	if (!address)
		return tl::unexpected(address.error());
	const bool unicast = *address >> 24 != 0 && *address >> 24 != 127 && *address >> 28 < 0xe;
	if (!unicast)
		return refuse(text('\'', written, "' is not an address that a host can have"));
	out = *address;
	return {};
}

// "auto", "none" or an address, words in any case as in the reference.
Result<> read_snat(std::string written, DataplaneConfig &out)
{
	std::string word = written;
	std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
	if (word == "auto" || word == "none") {
		out.snat_mode = word == "auto" ? NW_SNAT_AUTO : NW_SNAT_NONE;
		return {};
	}
	if (word == "static")
		return refuse("static needs an address: snat: {mode: static, ip: 203.0.113.9}");
	if (!read_address(written, out.snat_address))
		return refuse(text('\'', written, "' is not auto, none or an IPv4 address"));
	out.snat_mode = NW_SNAT_STATIC;
	return {};
}

void read_snat_section(ConfigReader &snat, DataplaneConfig &out)
{
	std::string mode;
	snat.scalar("mode", [&](const std::string &written) -> Result<> {
		mode = written;
		std::ranges::transform(mode, mode.begin(), [](unsigned char c) { return std::tolower(c); });
		if (mode == "static") {
			out.snat_mode = NW_SNAT_STATIC;
			return {};
		}
		return mode == "auto" || mode == "none"
			       ? read_snat(mode, out)
			       : refuse(text('\'', written, "' is not auto, none or static"));
	});
	const bool has_address = snat.scalar(
		"ip", [&](const std::string &written) { return read_address(written, out.snat_address); });
	if (mode.empty())
		snat.refuse("", "mode is missing: auto, none or static");
	else if ((mode == "static") != has_address)
		snat.refuse("", mode == "static" ? "mode static needs ip" : "ip is for mode static only");
}

void read_port(ConfigReader &port, std::vector<dataplane::PortSpec> &out)
{
	dataplane::PortSpec spec{.interface = {}, .side = NW_SIDE_UNUSED};
	const bool has_interface = port.scalar("interface", [&](const std::string &written) {
		return read_interface(written, spec.interface);
	});
	const bool has_side = port.scalar(
		"side", [&](const std::string &written) { return read_side(written, spec.side); });
	port.scalar("mode", [&](const std::string &written) -> Result<> {
		if (written != "native" && written != "generic")
			return refuse(text('\'', written, "' is not native or generic"));
		spec.generic = written == "generic";
		return {};
	});
	if (!has_interface)
		port.refuse("", "interface is missing");
	if (!has_side)
		port.refuse("", "side is missing: inside, outside or both");
	if (std::ranges::any_of(out, [&](const auto &other) { return other.interface == spec.interface; }))
		port.refuse("interface", text('\'', spec.interface, "' is a port already"));
	out.push_back(std::move(spec));
}

void read_host_service(ConfigReader &service, std::vector<nw_host_service> &out)
{
	nw_host_service slot{};
	std::uint32_t port = 0;
	const bool has_protocol = service.scalar("proto", [&](const std::string &written) -> Result<> {
		const auto protocol = parse_protocol(written);
		if (!protocol ||
		    (*protocol != IPPROTO_TCP && *protocol != IPPROTO_UDP && *protocol != IPPROTO_ICMP))
			return refuse(text('\'', written, "' is not tcp, udp or icmp"));
		slot.protocol = *protocol;
		return {};
	});
	const bool has_port = service.number("port", port, 1, 65535);
	if (!has_protocol)
		service.refuse("", "proto is missing: tcp, udp or icmp");
	else if ((slot.protocol != IPPROTO_ICMP) != has_port)
		service.refuse("", has_port ? "icmp has no port" : "port is missing");
	slot.port_be = htons(static_cast<std::uint16_t>(port));
	out.push_back(slot);
}

void read_timeouts(ConfigReader &timeouts, nw_timeouts &out)
{
	timeouts.number("tcp_established_secs", out.tcp_established_s, 1, timeout_max_s);
	timeouts.number("tcp_half_open_secs", out.tcp_half_open_s, 1, timeout_max_s);
	timeouts.number("tcp_transitory_secs", out.tcp_transitory_s, 1, timeout_max_s);
	timeouts.number("tcp_closing_secs", out.tcp_closing_s, 1, timeout_max_s);
	timeouts.number("udp_secs", out.udp_s, 1, timeout_max_s);
	timeouts.number("udp_dns_secs", out.udp_dns_s, 1, timeout_max_s);
	timeouts.number("icmp_secs", out.icmp_s, 1, timeout_max_s);
}

} // namespace

Result<> read_interface(const std::string &written, std::string &out)
{
	if (written.empty() || written.size() >= IFNAMSIZ ||
	    written.find_first_of("/ \t") != std::string::npos)
		return refuse(text('\'', written, "' is not the name of a network interface"));
	out = written;
	return {};
}

void read_dataplane(ConfigReader &dataplane, DataplaneConfig &out)
{
	dataplane.sections("ports", NW_PORT_LIMIT, [&](ConfigReader &port) { read_port(port, out.ports); });
	if (dataplane.is_section("snat"))
		dataplane.section("snat", [&](ConfigReader &snat) { read_snat_section(snat, out); });
	else
		dataplane.scalar("snat", [&](const std::string &written) { return read_snat(written, out); });

	// The reference's one key for everything but TCP, then the finer ones.
	std::uint32_t idle_s = 0;
	if (dataplane.number("idle_timeout_secs", idle_s, 1, timeout_max_s))
		out.timeouts.udp_s = out.timeouts.icmp_s = idle_s;
	dataplane.section("timeouts", [&](ConfigReader &timeouts) { read_timeouts(timeouts, out.timeouts); });

	dataplane.sections("host_services", NW_HOST_SERVICE_LIMIT,
			   [&](ConfigReader &service) { read_host_service(service, out.host_services); });
	dataplane.number("flow_lines", out.sizes.flow_lines, 1u << 10, 1u << 25);
	if (!std::has_single_bit(out.sizes.flow_lines))
		dataplane.refuse("flow_lines", text(out.sizes.flow_lines, " is not a power of two"));
	dataplane.number("policy_nodes", out.sizes.policy_nodes, 1u << 10, 1u << 22);
	dataplane.number("policy_decisions", out.sizes.policy_decisions, 1u << 10, 1u << 22);
	dataplane.section("miss_rate", [&](ConfigReader &rate) {
		rate.number("per_second", out.misses_per_second, 1, 10'000'000);
		rate.number("burst", out.miss_burst, 1, 1'000'000);
	});
	dataplane.number("events_per_second", out.events_per_second, 1, 1'000'000);
	dataplane.boolean("run_poller", out.run_poller);
	dataplane.string("poller_binary", out.poller_binary);
}

std::string_view side_name(nw_side side)
{
	switch (side) {
	case NW_SIDE_INSIDE:
		return "inside";
	case NW_SIDE_OUTSIDE:
		return "outside";
	case NW_SIDE_BOTH:
		return "both";
	case NW_SIDE_UNUSED:
		break;
	}
	return "unused";
}

const dataplane::PortSpec &outside_port(const DataplaneConfig &config)
{
	return *std::ranges::find_if(config.ports, [](const auto &port) {
		return port.side == NW_SIDE_OUTSIDE || port.side == NW_SIDE_BOTH;
	});
}

} // namespace neuwerk::daemon
