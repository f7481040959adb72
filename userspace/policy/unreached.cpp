// Finds the rules that decide nothing, from what the compiler kept.
#include "policy/policy.h"

#include "base/text.h"
#include "policy/document.h"

#include <set>
#include <utility>

namespace neuwerk::policy {

std::vector<Warning> unreached(const model::Policy &policy, const CompiledPolicy &compiled)
{
	std::set<std::pair<std::uint16_t, std::uint32_t>> deciding;
	for (const nw_decision &decision : compiled.decisions()) {
		deciding.emplace(decision.group, decision.rule);
		if (decision.flags & NW_DECISION_AUDIT_DENY)
			deciding.emplace(decision.audit_group, decision.audit_rule);
	}
	std::vector<Warning> warnings;
	for (std::size_t g = 0; g < policy.source_groups.size(); g++) {
		const model::SourceGroup &group = policy.source_groups[g];
		for (std::size_t r = 0; r < group.rules.size(); r++) {
			const bool decides = deciding.contains(
				{static_cast<std::uint16_t>(g), static_cast<std::uint32_t>(r)});
			if (decides || !selects_packets(group.rules[r].match))
				continue;
			warnings.push_back(
				{text("source_groups[", g, "].rules[", r, ']'),
				 text("no packet reaches rule ", quoted(group.rules[r].id),
				      ": its selectors contradict each other, or what is evaluated before it "
				      "decides all of its packets")});
		}
	}
	return warnings;
}

} // namespace neuwerk::policy
