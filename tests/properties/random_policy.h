// Random policies that are dense enough for their rules to overlap.
#pragma once

#include "policy/policy.h"
#include "properties/generate.h"
#include "properties/random.h"

namespace neuwerk::properties {

[[nodiscard]] model::Policy random_policy(Random &random, Universe universe);
[[nodiscard]] policy::Surroundings random_surroundings(Random &random);
[[nodiscard]] std::uint32_t random_source(Random &random);
[[nodiscard]] std::uint32_t random_destination(Random &random);
[[nodiscard]] std::uint16_t random_port(Random &random);
[[nodiscard]] std::uint8_t random_protocol(Random &random, Universe universe);

} // namespace neuwerk::properties
