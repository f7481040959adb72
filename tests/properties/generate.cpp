// Draws packets that land on the edges of a policy's own sets, and asks the oracle about them.
#include "properties/generate.h"

#include "abi/verdict.h"
#include "properties/oracle.h"
#include "properties/random.h"
#include "properties/random_policy.h"

#include <cstdlib>
#include <optional>

namespace neuwerk::properties {

namespace {

using policy::Query;

constexpr int attempts_per_witness = 60;
constexpr std::size_t attempts_per_packet = 30;

bool is_martian(std::uint32_t address)
{
	return address >> 24 == 0 || address >> 24 == 127 || address >> 28 >= 14;
}

// Who decides a packet: a rule, the default of a group, or (group == NW_NO_GROUP) default_policy.
struct Decider {
	std::uint16_t group;
	std::uint32_t rule;

	bool operator==(const Decider &) const = default;
};

class Generator {
public:
	Generator(std::uint64_t seed, Universe universe, std::size_t count)
	    : random_(seed), universe_(universe), count_(count)
	{
	}

	// Empty when this policy cannot give a balanced set of packets.
	std::optional<Scenario> run(std::uint64_t seed)
	{
		Scenario scenario{
			seed, random_policy(random_, universe_), random_surroundings(random_), {}, {}, false};
		// Shadowed rules are a thing that compilers get wrong: one scenario in four keeps them.
		scenario.keeps_dead_rules = random_.chance(25);
		if (!add_witnesses(scenario) || !fill(scenario))
			return std::nullopt;
		return scenario;
	}

private:
	// Mostly the first or last address of the prefix.
	std::uint32_t edge_of(const model::Prefix &prefix)
	{
		const std::uint32_t hosts =
			prefix.length == 0 ? 0xffffffff : ~(0xffffffffu << (32 - prefix.length));
		const std::uint32_t free = prefix.length == 32 ? 0 : hosts;
		return prefix.address +
		       random_.pick({0u, free, static_cast<std::uint32_t>(random_.bits()) & free});
	}

	std::uint16_t edge_of(const std::vector<model::PortRange> &ranges)
	{
		if (ranges.empty())
			return random_port(random_);
		const model::PortRange range = random_.pick(ranges);
		return random_.pick({range.first, range.last,
				     static_cast<std::uint16_t>(random_.between(range.first, range.last))});
	}

	Query anything(const model::Policy &policy)
	{
		Query query{random_source(random_),
			    random_destination(random_),
			    random_protocol(random_, universe_),
			    random_port(random_),
			    random_port(random_),
			    8,
			    0};
		if (!policy.source_groups.empty() && random_.chance(70))
			query.source =
				edge_of(random_.pick(random_.pick(policy.source_groups).sources.prefixes));
		if (universe_ == Universe::any && random_.chance(50)) {
			query.icmp_type = random_.pick<std::uint8_t>({0, 3, 8, 11, 13, 255});
			query.icmp_code = random_.pick<std::uint8_t>({0, 1, 3, 4, 255});
		}
		return query;
	}

	// A packet that the decider would decide, were nobody before it.
	Query aim(const model::Policy &policy, Decider decider)
	{
		Query query = anything(policy);
		if (decider.group == NW_NO_GROUP)
			return query;
		const model::SourceGroup &group = policy.source_groups[decider.group];
		query.source = edge_of(random_.pick(group.sources.prefixes));
		if (decider.rule == NW_NO_RULE)
			return query;
		const model::Match &match = group.rules[decider.rule].match;
		if (!match.destinations.empty())
			query.destination = edge_of(random_.pick(match.destinations));
		query.source_port = edge_of(match.source_ports);
		query.destination_port = edge_of(match.destination_ports);
		const bool is_icmp_only = !match.icmp_types.empty() || !match.icmp_codes.empty();
		query.protocol = is_icmp_only ? std::uint8_t{1} : match.protocol.value_or(query.protocol);
		if (!match.icmp_types.empty() && universe_ == Universe::any)
			query.icmp_type = random_.pick(match.icmp_types);
		if (!match.icmp_codes.empty() && universe_ == Universe::any)
			query.icmp_code = random_.pick(match.icmp_codes);
		return query;
	}

	// One step over an edge.
	void nudge(Query &query)
	{
		const std::uint32_t step = random_.pick({1u, ~0u});
		const auto port_step = static_cast<std::uint16_t>(step);
		switch (random_.below(4)) {
		case 0:
			query.source += step;
			break;
		case 1:
			query.destination += step;
			break;
		case 2:
			query.source_port = static_cast<std::uint16_t>(query.source_port + port_step);
			break;
		default:
			query.destination_port =
				static_cast<std::uint16_t>(query.destination_port + port_step);
		}
	}

	[[nodiscard]] bool can_arrive(const Query &query) const
	{
		return universe_ == Universe::any ||
		       (!is_martian(query.source) && !is_martian(query.destination));
	}

	static std::vector<Decider> deciders_of(const model::Policy &policy)
	{
		std::vector<Decider> deciders{{NW_NO_GROUP, NW_NO_RULE}};
		for (std::uint16_t g = 0; g < policy.source_groups.size(); g++) {
			for (std::uint32_t r = 0; r < policy.source_groups[g].rules.size(); r++)
				deciders.push_back({g, r});
			if (policy.source_groups[g].default_action)
				deciders.push_back({g, NW_NO_RULE});
		}
		return deciders;
	}

	static bool is_judged(const nw_decision &decision)
	{
		return decision.verdict != NW_VERDICT_dropped_external_source &&
		       decision.verdict != NW_VERDICT_dropped_east_west;
	}

	std::optional<Query> witness(const Scenario &scenario, const Oracle &oracle, Decider decider)
	{
		for (int i = 0; i < attempts_per_witness; i++) {
			const Query query = aim(scenario.policy, decider);
			const nw_decision decision = oracle.judge(query);
			if (can_arrive(query) && is_judged(decision) &&
			    Decider{decision.group, decision.rule} == decider)
				return query;
		}
		return std::nullopt;
	}

	// One packet per decider. Deciders that decide nothing are taken out of the policy, last first so
	// that the indices of the others stay; unless they are to be kept.
	bool add_witnesses(Scenario &scenario)
	{
		std::vector<Query> packets;
		std::vector<Decider> dead;
		const Oracle oracle(scenario.policy, scenario.surroundings);
		for (const Decider decider : deciders_of(scenario.policy)) {
			if (const auto query = witness(scenario, oracle, decider))
				packets.push_back(*query);
			else
				dead.push_back(decider);
		}
		if (!dead.empty() && dead.front() == Decider{NW_NO_GROUP, NW_NO_RULE} &&
		    !scenario.keeps_dead_rules)
			return false;
		for (std::size_t i = scenario.keeps_dead_rules ? 0 : dead.size(); i > 0; i--) {
			model::SourceGroup &group = scenario.policy.source_groups[dead[i - 1].group];
			if (dead[i - 1].rule == NW_NO_RULE)
				group.default_action.reset();
			else
				group.rules.erase(group.rules.begin() + dead[i - 1].rule);
		}
		scenario.packets = std::move(packets);
		return scenario.packets.size() <= count_;
	}

	bool fill(Scenario &scenario)
	{
		const Oracle oracle(scenario.policy, scenario.surroundings);
		const std::vector<Decider> deciders = deciders_of(scenario.policy);
		std::size_t allowed = 0;
		std::size_t denied = 0;
		std::size_t misdirected = 0;
		const auto keep = [&](const nw_decision &decision) {
			std::size_t &kind = decision.verdict == NW_VERDICT_forwarded_in_xdp ? allowed
					    : is_judged(decision)                           ? denied
											    : misdirected;
			const std::size_t most = &kind == &misdirected ? count_ / 10 : count_ * 3 / 4;
			return kind < most && ++kind;
		};
		for (const Query &query : scenario.packets) {
			scenario.decisions.push_back(oracle.judge(query));
			keep(scenario.decisions.back());
		}
		for (std::size_t i = 0; i < count_ * attempts_per_packet && scenario.packets.size() < count_;
		     i++) {
			Query query = aim(scenario.policy, random_.pick(deciders));
			if (random_.chance(40))
				nudge(query);
			const nw_decision decision = oracle.judge(query);
			if (!can_arrive(query) || !keep(decision))
				continue;
			scenario.packets.push_back(query);
			scenario.decisions.push_back(decision);
		}
		return scenario.packets.size() == count_ && allowed * 5 >= count_ && denied * 5 >= count_;
	}

	Random random_;
	Universe universe_;
	std::size_t count_;
};

} // namespace

Scenario make_scenario(std::uint64_t seed, Universe universe, std::size_t packet_count)
{
	for (std::uint64_t attempt = 0;; attempt++)
		if (auto scenario =
			    Generator(Random(seed).bits() + attempt, universe, packet_count).run(seed))
			return std::move(*scenario);
}

std::uint64_t seed_of_the_run()
{
	const char *seed = std::getenv("NW_SEED");
	return seed ? std::strtoull(seed, nullptr, 0) : 20261121;
}

} // namespace neuwerk::properties
