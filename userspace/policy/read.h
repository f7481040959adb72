// From the neutral tree to model values: one function per kind of object. Errors go to the Reading.
#pragma once

#include "model/policy.h"
#include "policy/reading.h"

#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::policy {

[[nodiscard]] model::Policy read_policy(Reading &reading, const Node &document,
					model::Action default_if_absent);
void read_tests(Reading &reading, Object &document, std::vector<model::PolicyTest> &out);
[[nodiscard]] model::Sources read_sources(Reading &reading, const Node &node, const Path &path);
[[nodiscard]] model::Match read_match(Reading &reading, const Node &node, const Path &path);
[[nodiscard]] model::Tls read_tls(Reading &reading, const Node &node, const Path &path);
[[nodiscard]] model::Http read_http(Reading &reading, const Node &node, const Path &path);

// "allow" or "deny" in any case; anything else is `code`.
[[nodiscard]] model::Action read_action(Reading &reading, std::string_view code, std::string_view word,
					const Path &path);
[[nodiscard]] std::vector<std::string> read_texts(Reading &reading, Object &object, std::string_view key);
// "a.b.c.d/n" or, where a length may stand, a bare address.
void read_prefixes(Reading &reading, Object &object, std::string_view key, std::vector<model::Prefix> &out);
void read_addresses(Reading &reading, Object &object, std::string_view key, std::vector<model::Prefix> &out);

} // namespace neuwerk::policy
