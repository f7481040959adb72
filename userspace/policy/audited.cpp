// A whole policy in audit mode (spec/dataplane §1.7).
#include "policy/policy.h"

#include <utility>

namespace neuwerk::policy {

model::Policy audited(model::Policy policy)
{
	policy.default_mode = model::Mode::audit;
	for (model::SourceGroup &group : policy.source_groups) {
		group.mode = model::Mode::audit;
		for (model::Rule &rule : group.rules)
			rule.mode = model::Mode::audit;
	}
	return policy;
}

} // namespace neuwerk::policy
