// What is kept of a document: its own spelling with every optional key there.
#pragma once

#include "model/policy.h"
#include "policy/document.h"

#include <string_view>

namespace neuwerk::policy {

// Gives `mode` to each group that has none; whatever else is wrong with the tree stays wrong.
void insert_group_mode(Node &document, std::string_view mode);

// The tree of a valid document, from which `policy` was read. spec/http-api §5.3: an absent list becomes [],
// an absent value null; keys that mean nothing are dropped. Keys that only we have (tests, match_dns_binding)
// appear where the author wrote them.
[[nodiscard]] Node materialised(Node document, const model::Policy &policy);

} // namespace neuwerk::policy
