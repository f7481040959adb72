// What a compiled policy consists of.
#pragma once

#include "policy/policy.h"

#include <string>
#include <vector>

namespace neuwerk::policy {

struct CompiledPolicy::Tables {
	struct Group {
		std::string name;
		std::vector<std::string> rules;
	};

	std::vector<nw_policy_node> nodes;
	std::vector<nw_decision> decisions;
	std::uint32_t root = 0;
	std::vector<Group> groups; // document order
};

} // namespace neuwerk::policy
