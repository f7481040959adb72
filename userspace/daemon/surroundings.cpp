// From the kernel's view of the data ports to settings, internal networks and readiness.
#include "daemon/surroundings.h"

#include "base/text.h"

#include <algorithm>
#include <optional>

namespace neuwerk::daemon {

namespace {

const PortFacts &facts_of_outside(const DataplaneConfig &config, const Facts &facts)
{
	const std::string &name = outside_port(config).interface;
	return *std::ranges::find_if(facts, [&](const PortFacts &port) { return port.interface == name; });
}

std::optional<std::uint32_t> snat_address(const DataplaneConfig &config, const Facts &facts)
{
	if (config.snat_mode == NW_SNAT_STATIC)
		return config.snat_address;
	for (const PortAddress &address : facts_of_outside(config, facts).addresses)
		if (address.global)
			return address.address;
	return std::nullopt;
}

} // namespace

Result<dataplane::Settings> settings_of(const DataplaneConfig &config, const Facts &facts)
{
	dataplane::Settings settings;
	settings.snat_mode = config.snat_mode;
	settings.host_services = config.host_services;
	settings.timeouts = config.timeouts;
	settings.misses_per_second = config.misses_per_second;
	settings.miss_burst = config.miss_burst;
	settings.events_per_second = config.events_per_second;

	const auto own = [&](std::uint32_t address) {
		if (std::ranges::find(settings.own_addresses, address) == settings.own_addresses.end())
			settings.own_addresses.push_back(address);
	};
	for (const PortFacts &port : facts)
		for (const PortAddress &address : port.addresses)
			own(address.address);
	if (config.snat_mode != NW_SNAT_NONE) {
		if (const auto external = snat_address(config, facts)) {
			settings.external = {*external};
			own(*external);
		}
	}
	if (settings.own_addresses.size() > NW_OWN_ADDRESS_LIMIT)
		return fail(ErrorKind::resource_exhausted,
			    text("the data ports carry ", settings.own_addresses.size(),
				 " IPv4 addresses; the limit is ", static_cast<int>(NW_OWN_ADDRESS_LIMIT)));
	return settings;
}

policy::Surroundings surroundings_of(const Config &config, const Facts &facts)
{
	policy::Surroundings surroundings;
	for (const Ipv4Network &network : config.policy.internal)
		surroundings.internal.push_back({network.address, network.length});
	if (!config.policy.internal.empty())
		return surroundings;
	for (std::size_t i = 0; i < facts.size(); i++) {
		if (config.dataplane.ports[i].side == NW_SIDE_OUTSIDE)
			continue;
		for (const PortAddress &address : facts[i].addresses)
			if (address.global &&
			    address.length < 32) // a /32 (SNAT, loopback style) connects nobody
				surroundings.internal.push_back(
					{address.address & ipv4_mask(address.length), address.length});
	}
	return surroundings;
}

std::string missing_of(const DataplaneConfig &config, const Facts &facts)
{
	for (const PortFacts &port : facts) {
		if (port.index == 0)
			return text("interface ", port.interface, " does not exist");
		if (!port.up)
			return text("interface ", port.interface, " is down");
		if (port.addresses.empty())
			return text("interface ", port.interface, " has no IPv4 address yet");
	}
	if (config.snat_mode == NW_SNAT_AUTO && !snat_address(config, facts))
		return text("interface ", outside_port(config).interface,
			    " has no address to translate to yet");
	return {};
}

std::string describe_snat(const DataplaneConfig &config, const Facts &facts)
{
	if (config.snat_mode == NW_SNAT_NONE)
		return "none";
	const std::string mode = config.snat_mode == NW_SNAT_AUTO ? "auto " : "static ";
	const auto address = snat_address(config, facts);
	return mode + (address ? format_ipv4(*address) : "(no address yet)");
}

} // namespace neuwerk::daemon
