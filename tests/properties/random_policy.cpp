// Draws policies from small pools of addresses, ports and priorities, so that rules meet, shadow and tie.
#include "properties/random_policy.h"

namespace neuwerk::properties {

namespace {

using model::Action;
using model::Mode;

// Of a few networks, any prefix that starts with theirs; none of it is martian, so that it passes real XDP
// too.
model::Prefix random_prefix(Random &random, std::initializer_list<model::Prefix> networks)
{
	const model::Prefix network = random.pick(networks);
	const auto length = static_cast<std::uint8_t>(random.between(network.length, 32));
	const std::uint32_t host =
		network.length == 32 ? 0 : static_cast<std::uint32_t>(random.bits()) >> network.length;
	const std::uint32_t mask = length == 0 ? 0 : 0xffffffffu << (32 - length);
	return {(network.address | host) & mask, length};
}

model::Prefix random_source_prefix(Random &random)
{
	return random.chance(3)
		       ? model::Prefix{0, 0}
		       : random_prefix(
				 random,
				 {{0x0a000000, 24}, {0x0a000000, 28}, {0x0a010000, 16}, {0xac100000, 30}});
}

model::Prefix random_destination_prefix(Random &random)
{
	return random.chance(4)
		       ? model::Prefix{0, 0}
		       : random_prefix(
				 random,
				 {{0xc6336400, 24}, {0xc6336400, 30}, {0xcb007100, 28}, {0x08000000, 5}});
}

model::PortRange random_ports(Random &random)
{
	const std::uint16_t a = random_port(random);
	const std::uint16_t b = random.chance(50) ? a : random_port(random);
	return {std::min(a, b), std::max(a, b)};
}

// Mostly few, at times enough for a search of several levels.
std::uint32_t list_length(Random &random)
{
	return random.chance(8) ? random.between(10, 60) : random.between(1, 3);
}

void fill_icmp(Random &random, Universe universe, model::Match &match)
{
	const auto octet = [&](std::initializer_list<int> usual) {
		return static_cast<std::uint8_t>(random.chance(80) ? random.pick(usual) : random.below(256));
	};
	const bool corridor = universe == Universe::corridor;
	for (std::uint32_t i = random.below(3); i > 0; i--)
		match.icmp_types.push_back(octet(corridor ? std::initializer_list<int>{8, 8, 0}
							  : std::initializer_list<int>{0, 3, 8, 11, 255}));
	for (std::uint32_t i = random.below(3); i > 0; i--)
		match.icmp_codes.push_back(octet(corridor ? std::initializer_list<int>{0, 0, 4}
							  : std::initializer_list<int>{0, 1, 4, 255}));
}

model::Match random_match(Random &random, Universe universe)
{
	model::Match match;
	if (random.chance(3)) {
		match.dns_hostname = "^example$";
		return match;
	}
	if (random.chance(60))
		for (std::uint32_t i = list_length(random); i > 0; i--)
			match.destinations.push_back(random_destination_prefix(random));
	if (random.chance(70))
		match.protocol = random_protocol(random, universe);
	const bool is_icmp = match.protocol == 1;
	if (is_icmp || (!match.protocol && random.chance(10)))
		fill_icmp(random, universe, match);
	if (!is_icmp && random.chance(60))
		for (std::uint32_t i = list_length(random); i > 0; i--)
			match.destination_ports.push_back(random_ports(random));
	if (!is_icmp && random.chance(15))
		for (std::uint32_t i = list_length(random); i > 0; i--)
			match.source_ports.push_back(random_ports(random));
	return match;
}

std::uint32_t random_priority(Random &random, std::size_t index)
{
	return random.chance(60) ? static_cast<std::uint32_t>(index) : random.below(6);
}

Action random_action(Random &random)
{
	return random.chance(50) ? Action::allow : Action::deny;
}

Mode random_mode(Random &random)
{
	return random.chance(25) ? Mode::audit : Mode::enforce;
}

model::SourceGroup random_group(Random &random, Universe universe, std::size_t index,
				std::uint32_t most_rules)
{
	model::SourceGroup group{};
	group.id = "group-" + std::to_string(index);
	group.priority = random_priority(random, index);
	group.mode = random_mode(random);
	for (std::uint32_t i = list_length(random); i > 0; i--)
		group.sources.prefixes.push_back(random_source_prefix(random));
	for (std::uint32_t i = random.below(most_rules + 1); i > 0; i--) {
		const std::size_t position = group.rules.size();
		group.rules.push_back({"rule-" + std::to_string(position), random_priority(random, position),
				       random_action(random),
				       random.chance(70) ? group.mode : random_mode(random),
				       random_match(random, universe)});
	}
	if (random.chance(40))
		group.default_action = random_action(random);
	return group;
}

} // namespace

std::uint32_t random_source(Random &random)
{
	return random.pick({0x0a000000u, 0x0a010000u, 0xac100000u, 0xc0a80000u}) + random.below(300);
}

std::uint32_t random_destination(Random &random)
{
	return random.pick({0xc6336400u, 0xcb007100u, 0x08000000u, 0x0a000000u}) + random.below(300);
}

std::uint16_t random_port(Random &random)
{
	if (random.chance(80))
		return static_cast<std::uint16_t>(
			random.pick({0, 1, 53, 80, 81, 443, 1023, 1024, 8080, 65534, 65535}));
	return static_cast<std::uint16_t>(random.below(65536));
}

std::uint8_t random_protocol(Random &random, Universe universe)
{
	if (universe == Universe::corridor || random.chance(90))
		return static_cast<std::uint8_t>(random.pick({6, 6, 17, 17, 1}));
	return static_cast<std::uint8_t>(random.chance(50) ? 47 : random.below(256));
}

policy::Surroundings random_surroundings(Random &random)
{
	policy::Surroundings surroundings;
	if (random.chance(80))
		surroundings.internal.push_back({0x0a000000, random.pick<std::uint8_t>({8, 16, 24})});
	if (random.chance(20))
		surroundings.internal.push_back({0xac100000, 12});
	return surroundings;
}

model::Policy random_policy(Random &random, Universe universe)
{
	model::Policy policy{random_action(random), {}};
	const bool is_large = random.chance(3);
	const std::uint32_t groups = is_large ? random.between(10, 30) : random.below(6);
	for (std::uint32_t i = 0; i < groups; i++)
		policy.source_groups.push_back(random_group(random, universe, i, is_large ? 30 : 10));
	return policy;
}

} // namespace neuwerk::properties
