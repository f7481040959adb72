// The real XDP program decides every packet as the oracle does: random policies, packets from their
// boundaries.
//
// The same scenarios hold the compiled policy in user space against the oracle (tests/properties), so the
// three agree. A failure prints the seed of its scenario; NW_SEED=<that seed> starts with it.
#include "private_corridor.h"

#include "dataplane/publish/frame.h"
#include "policy/policy.h"
#include "properties/generate.h"

#include <doctest/doctest.h>

#include <cstring>

namespace {

using namespace neuwerk;

constexpr std::uint64_t policy_count = 1000;
constexpr std::size_t packet_count = 1000;

dataplane::Question question_of(const policy::Query &query)
{
	return {query.source,           query.destination, query.protocol, query.source_port,
		query.destination_port, query.icmp_type,   query.icmp_code};
}

// What a first packet with this decision ends as.
nw_verdict verdict_of(const nw_decision &decision)
{
	return decision.verdict == NW_VERDICT_forwarded_in_xdp ? NW_VERDICT_handed_to_poller
							       : static_cast<nw_verdict>(decision.verdict);
}

} // namespace

TEST_CASE("XDP decides every packet as the oracle and the compiled policy do")
{
	auto made = xdp_test::PrivateCorridor::make({.flow_lines = 1024});
	REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
	auto &corridor = made->corridor();
	const std::uint64_t first = properties::seed_of_the_run();
	std::size_t allowed = 0, denied = 0;
	std::uint32_t generation = 0;
	for (std::uint64_t seed = first; seed < first + policy_count; seed++) {
		CAPTURE(seed);
		const auto scenario =
			properties::make_scenario(seed, properties::Universe::corridor, packet_count);
		const auto compiled = policy::compile(scenario.policy, scenario.surroundings, {});
		REQUIRE(compiled);
		REQUIRE(corridor.publish(*compiled, ++generation));
		for (std::size_t i = 0; i < scenario.packets.size(); i++) {
			const auto explained = corridor.explain(question_of(scenario.packets[i]));
			REQUIRE(explained);
			const nw_decision &truth = scenario.decisions[i];
			const bool agrees = explained->decided && explained->generation == generation &&
					    explained->verdict == verdict_of(truth) &&
					    std::memcmp(&explained->decision, &truth, sizeof(truth)) == 0;
			CAPTURE(i);
			CAPTURE(static_cast<int>(explained->verdict));
			REQUIRE(agrees);
			(truth.verdict == NW_VERDICT_forwarded_in_xdp ? allowed : denied)++;
		}
	}
	MESSAGE(policy_count, " policies, ", allowed, " packets allowed, ", denied, " denied, 0 mismatches");
}
