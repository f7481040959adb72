// Refuses what the dataplane cannot enforce yet, so that nothing is accepted and then ignored.
#include "policy/policy.h"

#include "base/text.h"
#include "policy/document.h"

namespace neuwerk::policy {

namespace {

std::string_view unenforced_selector(const model::Match &match)
{
	if (match.tls)
		return "tls";
	return match.dns_hostname ? "dns_hostname" : "";
}

} // namespace

Result<> enforceable(const model::Policy &policy)
{
	for (const model::SourceGroup &group : policy.source_groups) {
		if (!group.sources.kubernetes.empty())
			return fail(
				ErrorKind::invalid_argument,
				text("group ", quoted(group.id), ": sources.kubernetes is not enforced yet"));
		for (const model::Rule &rule : group.rules)
			if (const auto selector = unenforced_selector(rule.match); !selector.empty())
				return fail(ErrorKind::invalid_argument,
					    text("group ", quoted(group.id), ", rule ", quoted(rule.id),
						 ": match.", selector, " is not enforced yet"));
	}
	return {};
}

} // namespace neuwerk::policy
