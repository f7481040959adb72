// Reads the document, its groups and their rules (spec/dataplane §1.2).
#include "policy/read.h"

#include "base/text.h"

#include <unordered_set>

namespace neuwerk::policy {

namespace {

constexpr std::uint32_t priority_max = 0xffffffff;
// The grants that a group learns from DNS are compiled into a rule of this name.
constexpr std::string_view reserved_rule_id = "__dns_allowlist";

model::Mode as_mode(Reading &reading, std::string_view word, const Path &path)
{
	if (word != "audit" && word != "enforce")
		reading.fail("E_JSON", path,
			     text(quoted(word), " is not a mode: audit or enforce, in lower case"));
	return word == "audit" ? model::Mode::audit : model::Mode::enforce;
}

std::uint32_t read_priority(Reading &reading, Object &object, std::size_t index)
{
	const Node *node = object.find("priority");
	return node ? as_number(reading, *node, object.path("priority"), priority_max)
		    : static_cast<std::uint32_t>(index);
}

// Absent: the binding of the document.
bool read_binding(Reading &reading, Object &object, bool inherited)
{
	const auto word = object.optional_text("match_dns_binding");
	if (!word)
		return inherited;
	if (*word != "strict" && *word != "loose")
		reading.fail("E_JSON", object.path("match_dns_binding"),
			     text(quoted(*word), " is not a binding: strict or loose, in lower case"));
	return *word == "strict";
}

struct Inherited {
	model::Mode mode;
	bool strict_dns_binding;
};

model::Rule read_rule(Reading &reading, const Node &node, const Path &path, std::size_t index,
		      Inherited inherited)
{
	Object object(reading, node, path);
	model::Rule rule{};
	rule.id = object.required_text("id");
	if (rule.id == reserved_rule_id)
		reading.fail("E_RULE_ID", object.path("id"),
			     text(reserved_rule_id, " is reserved: take another name"));
	rule.priority = read_priority(reading, object, index);
	rule.action = read_action(reading, "E_ACTION", object.required_text("action"), object.path("action"));
	const auto mode = object.optional_text("mode");
	rule.mode = mode ? as_mode(reading, *mode, object.path("mode")) : inherited.mode;
	if (const Node *match = object.find_required("match"))
		rule.match = read_match(reading, *match, object.path("match"));
	// Without a hostname there is nothing to bind to; normalised away, so that equal policies are equal.
	rule.strict_dns_binding = read_binding(reading, object, inherited.strict_dns_binding) &&
				  rule.match.dns_hostname.has_value();
	return rule;
}

model::SourceGroup read_group(Reading &reading, const Node &node, const Path &path, std::size_t index,
			      bool strict)
{
	Object object(reading, node, path);
	model::SourceGroup group{};
	group.id = object.required_text("id");
	if (trimmed(group.id).empty())
		reading.fail("E_GROUP_ID", object.path("id"), "blank: a group needs a name");
	group.priority = read_priority(reading, object, index);
	group.mode = as_mode(reading, object.required_text("mode"), object.path("mode"));
	if (const Node *sources = object.find_required("sources"))
		group.sources = read_sources(reading, *sources, object.path("sources"));
	object.each("rules", [&](const Node &item, const Path &at) {
		group.rules.push_back(read_rule(reading, item, at, group.rules.size(), {group.mode, strict}));
	});
	if (const auto word = object.optional_text("default_action"))
		group.default_action = read_action(reading, "E_ACTION", *word, object.path("default_action"));
	return group;
}

} // namespace

model::Action read_action(Reading &reading, std::string_view code, std::string_view word, const Path &path)
{
	const std::string lower = lower_case(word);
	if (lower != "allow" && lower != "deny")
		reading.fail(code, path, text(quoted(word), " is neither allow nor deny"));
	return lower == "allow" ? model::Action::allow : model::Action::deny;
}

model::Policy read_policy(Reading &reading, const Node &document, model::Action default_if_absent)
{
	const Path top;
	Object object(reading, document, top);
	model::Policy policy{};
	if (object.find("mode"))
		reading.fail("E_TOPMODE", object.path("mode"),
			     "top-level policy mode is no longer supported: groups and rules have one");
	const auto word = object.optional_text("default_policy");
	policy.default_policy = word ? read_action(reading, "E_DEFAULT", *word, object.path("default_policy"))
				     : default_if_absent;
	const bool strict = read_binding(reading, object, false);
	std::unordered_set<std::string> ids;
	object.each("source_groups", [&](const Node &item, const Path &at) {
		policy.source_groups.push_back(
			read_group(reading, item, at, policy.source_groups.size(), strict));
		const std::string &id = policy.source_groups.back().id;
		if (!ids.insert(id).second)
			reading.fail("E_GROUP_ID", {at, "id"},
				     text(quoted(id), " is the name of an earlier group"));
	});
	read_tests(reading, object, policy.tests);
	return policy;
}

} // namespace neuwerk::policy
