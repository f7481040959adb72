// What a record with a legacy mode means for packets.
#include "daemon/effective_policy.h"

#include "base/text.h"
#include "policy/policy.h"

#include <utility>

namespace neuwerk::daemon {

model::Policy effective_policy(model::Policy written, const std::string &mode, const PolicyConfig &config)
{
	if (mode == "audit")
		return policy::audited(std::move(written));
	if (mode != "disabled")
		return written;
	model::Policy none{};
	none.default_policy = config.default_allow ? model::Action::allow : model::Action::deny;
	return none;
}

Result<model::Policy> effective_policy(const PolicyRecord &record, const PolicyConfig &config)
{
	auto written = policy::parse(record.document, policy::Syntax::json);
	if (!written)
		return written;
	return effective_policy(std::move(*written), record.mode, config);
}

Result<std::string> document_of_effect(const PolicyRecord &record, const PolicyConfig &config)
{
	if (record.mode == "enforce")
		return record.document;
	auto policy = effective_policy(record, config);
	if (!policy)
		return tl::unexpected(policy.error());
	if (policy->default_mode == model::Mode::audit)
		policy->default_policy = model::Action::allow;
	policy->tests.clear(); // they judge the document as written
	return policy::to_json(*policy);
}

Result<std::string> read_record_mode(const std::string &written)
{
	for (const char *mode : {"disabled", "audit", "enforce"})
		if (written == mode)
			return written;
	return fail(ErrorKind::invalid_argument,
		    text("policy mode: '", written, "' is not disabled, audit or enforce"));
}

} // namespace neuwerk::daemon
