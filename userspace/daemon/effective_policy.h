// From a record to what is enforced: the legacy modes of a record (spec/http-api §5.4) end here.
#pragma once

#include "daemon/config.h"
#include "daemon/policy_book.h"
#include "model/policy.h"

#include <string>

namespace neuwerk::daemon {

// enforce: the policy as written; audit: every deny softened; disabled: no groups and policy.default.
[[nodiscard]] model::Policy effective_policy(model::Policy written, const std::string &mode,
					     const PolicyConfig &config);

// The same from the stored document. Fails as policy::parse does.
[[nodiscard]] Result<model::Policy> effective_policy(const PolicyRecord &record, const PolicyConfig &config);

// A document that allows and denies what the record does: the copy on disk, which a start enforces before
// the records can be read. In audit mode it does not report what default_policy would deny.
[[nodiscard]] Result<std::string> document_of_effect(const PolicyRecord &record, const PolicyConfig &config);

// The mode of a record, in any case. Fails with invalid_argument.
[[nodiscard]] Result<std::string> read_record_mode(const std::string &written);

} // namespace neuwerk::daemon
