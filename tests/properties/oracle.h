// The truth about a policy: spec/dataplane §2.2 and §2.4 word by word, one rule after the other.
//
// Slow and obvious on purpose, and independent of policy/compile: the compiler, the walk and XDP are held
// against it.
#pragma once

#include "abi/policy.h"
#include "policy/policy.h"

#include <cstddef>
#include <vector>

namespace neuwerk::properties {

class Oracle {
public:
	// Keeps references to both.
	Oracle(const model::Policy &policy, const policy::Surroundings &surroundings);

	[[nodiscard]] nw_decision judge(const policy::Query &query) const;

private:
	struct Group {
		std::size_t index;              // document order, as are the rules below
		std::vector<std::size_t> rules; // by priority
	};

	[[nodiscard]] bool is_internal(std::uint32_t address) const;
	[[nodiscard]] bool is_eligible(std::uint32_t address) const;
	void find_audit_deny(const policy::Query &query, nw_decision &decision) const;

	const model::Policy &policy_;
	const policy::Surroundings &surroundings_;
	std::vector<Group> order_; // by priority
};

} // namespace neuwerk::properties
