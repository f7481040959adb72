// The compiled policy decides every packet as the oracle does: random policies, packets from their
// boundaries.
//
// A failure prints the seed of its scenario; NW_SEED=<that seed> starts with it.
#include "properties/generate.h"

#include "abi/verdict.h"
#include "base/address.h"
#include "base/text.h"

#include <doctest/doctest.h>

#include <cstring>

using namespace neuwerk;

namespace {

constexpr std::uint64_t policy_count = 1000;
constexpr std::size_t packet_count = 1000;

std::string words(const nw_decision &decision)
{
	return text("verdict ", decision.verdict, " flags ", decision.flags, " group ", decision.group,
		    " rule ", decision.rule, " audit ", decision.audit_group, "/", decision.audit_rule);
}

std::string words(const policy::Query &query)
{
	return text(format_ipv4(query.source), ":", query.source_port, " -> ", format_ipv4(query.destination),
		    ":", query.destination_port, " protocol ", query.protocol, " icmp ", query.icmp_type, "/",
		    query.icmp_code);
}

// The number of packets that the compiled policy decides otherwise than the oracle; complains about the
// first.
std::size_t mismatches(const properties::Scenario &scenario)
{
	const auto compiled = policy::compile(scenario.policy, scenario.surroundings, {});
	if (!compiled)
		FAIL(compiled.error().what);
	std::size_t count = 0;
	for (std::size_t i = 0; i < scenario.packets.size(); i++) {
		const nw_decision decision = policy::walk(*compiled, scenario.packets[i]);
		if (std::memcmp(&decision, &scenario.decisions[i], sizeof decision) == 0)
			continue;
		if (count++ == 0)
			FAIL_CHECK(words(scenario.packets[i]), ": compiled ", words(decision), ", oracle ",
				   words(scenario.decisions[i]), "\n", policy::to_json(scenario.policy));
	}
	return count;
}

} // namespace

TEST_CASE("the compiled policy decides every packet as the oracle does")
{
	const std::uint64_t first = properties::seed_of_the_run();
	std::size_t allowed = 0;
	std::size_t denied = 0;
	std::size_t audited = 0;
	for (std::uint64_t seed = first; seed < first + policy_count; seed++) {
		CAPTURE(seed);
		const auto scenario =
			properties::make_scenario(seed, properties::Universe::any, packet_count);
		REQUIRE(mismatches(scenario) == 0);
		for (const nw_decision &decision : scenario.decisions) {
			allowed += decision.verdict == NW_VERDICT_forwarded_in_xdp;
			denied += decision.verdict != NW_VERDICT_forwarded_in_xdp;
			audited += (decision.flags & NW_DECISION_AUDIT_DENY) != 0;
		}
	}
	MESSAGE(policy_count, " policies: ", allowed, " packets allowed, ", denied, " denied, ", audited,
		" audited");
	CHECK(audited > 0);
}

TEST_CASE("the packets that can reach policy in the corridor agree too")
{
	const std::uint64_t first = properties::seed_of_the_run();
	for (std::uint64_t seed = first; seed < first + policy_count / 10; seed++) {
		CAPTURE(seed);
		REQUIRE(mismatches(properties::make_scenario(seed, properties::Universe::corridor,
							     packet_count)) == 0);
	}
}

TEST_CASE("each rule and each default of a scenario decides a packet, and both outcomes are frequent")
{
	const std::uint64_t first = properties::seed_of_the_run();
	std::size_t pruned = 0;
	for (std::uint64_t seed = first; seed < first + policy_count / 10; seed++) {
		CAPTURE(seed);
		const auto scenario =
			properties::make_scenario(seed, properties::Universe::any, packet_count);
		std::size_t allowed = 0;
		for (const nw_decision &decision : scenario.decisions)
			allowed += decision.verdict == NW_VERDICT_forwarded_in_xdp;
		CHECK(allowed * 5 >= packet_count);
		CHECK((packet_count - allowed) * 5 >= packet_count);
		if (scenario.keeps_dead_rules)
			continue;
		pruned++;
		for (std::size_t g = 0; g < scenario.policy.source_groups.size(); g++) {
			const model::SourceGroup &group = scenario.policy.source_groups[g];
			std::vector<std::size_t> decided(group.rules.size() + 1);
			for (const nw_decision &decision : scenario.decisions)
				if (decision.group == g)
					decided[decision.rule == NW_NO_RULE ? group.rules.size()
									    : decision.rule]++;
			for (std::size_t r = 0; r < group.rules.size(); r++)
				CHECK(decided[r] > 0);
			CHECK((decided.back() > 0) == group.default_action.has_value());
		}
	}
	CHECK(pruned > 0);
}

TEST_CASE("a normalised document is read back to the same policy, as JSON and as YAML")
{
	const std::uint64_t first = properties::seed_of_the_run();
	for (std::uint64_t seed = first; seed < first + policy_count / 10; seed++) {
		CAPTURE(seed);
		auto policy = properties::make_scenario(seed, properties::Universe::any, 200).policy;
		for (model::SourceGroup &group : policy.source_groups)
			for (model::Rule &rule : group.rules)
				if (rule.match.protocol == 1 && rule.match.icmp_types.empty() &&
				    rule.match.icmp_codes.empty())
					rule.match.icmp_types = {
						8}; // no document says "ICMP of every type" this way
		const std::string document = policy::to_json(policy);
		for (const auto syntax : {policy::Syntax::json, policy::Syntax::yaml}) {
			const auto again = policy::parse(document, syntax);
			REQUIRE(again);
			CHECK(*again == policy);
		}
	}
}
