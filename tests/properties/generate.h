// Random policies with packets drawn from their own boundaries, and what the oracle says about each packet.
//
// Whoever judges packets (the compiled policy, real XDP) can be driven by the same scenarios.
#pragma once

#include "abi/policy.h"
#include "policy/policy.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace neuwerk::properties {

enum class Universe {
	any,      // every protocol, ICMP type and code
	corridor, // only first packets that reach policy in XDP: TCP (as a SYN), UDP, ICMP echo request; no
		  // martians
};

struct Scenario {
	std::uint64_t seed; // makes this scenario again
	model::Policy policy;
	policy::Surroundings surroundings;
	std::vector<policy::Query> packets;
	std::vector<nw_decision> decisions; // the oracle's, one per packet
	bool keeps_dead_rules;              // false: every rule and every default decides at least one packet
};

// At least a fifth of the packets is allowed and at least a fifth denied by rules or defaults.
[[nodiscard]] Scenario make_scenario(std::uint64_t seed, Universe universe, std::size_t packet_count);

// The environment variable NW_SEED, or a fixed number.
[[nodiscard]] std::uint64_t seed_of_the_run();

} // namespace neuwerk::properties
