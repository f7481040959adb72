// Looks for names and patterns that do something else than their author thinks.
#include "policy/review.h"

#include "base/text.h"

#include <algorithm>

namespace neuwerk::policy {

namespace {

bool is_label_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

// "example.com" also matches "exampleXcom".
bool has_bare_dot(std::string_view pattern)
{
	for (std::size_t i = 1; i + 1 < pattern.size(); i++)
		if (pattern[i] == '.' && is_label_letter(pattern[i - 1]) && is_label_letter(pattern[i + 1]))
			return true;
	return false;
}

bool is_anchored(std::string_view pattern)
{
	const bool start =
		pattern.starts_with("^") || pattern.starts_with("(^") || pattern.starts_with("(?:^");
	const bool end = (pattern.ends_with("$") && !pattern.ends_with("\\$")) || pattern.ends_with("$)");
	return start && end;
}

void review_pattern(Reading &reading, const Path &path, const std::string &pattern)
{
	if (pattern == ".*" || pattern == ".+") // everything, and visibly so
		return;
	if (!is_anchored(pattern))
		reading.warn(path, text(quoted(pattern),
					" is searched anywhere in the name, so longer names match too: "
					"anchor it with ^ and $"));
	if (has_bare_dot(pattern))
		reading.warn(path,
			     text(quoted(pattern), " has a dot that stands for any character: write \\."));
	if (std::any_of(pattern.begin(), pattern.end(),
			[](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
		reading.warn(path, text(quoted(pattern),
					" has letters outside ASCII, which no name on the wire has: "
					"write the xn-- form"));
}

void review_name(Reading &reading, const Path &tls, std::string_view key,
		 const std::optional<model::NameMatch> &name)
{
	if (name && name->regex)
		review_pattern(reading, {tls, key}, *name->regex);
}

void review_match(Reading &reading, const Path &path, const model::Match &match)
{
	if (match.dns_hostname)
		review_pattern(reading, {path, "dns_hostname"}, *match.dns_hostname);
	if (!match.tls)
		return;
	const Path tls(path, "tls");
	review_name(reading, tls, "sni", match.tls->sni);
	review_name(reading, tls, "server_san", match.tls->server_san);
	review_name(reading, tls, "server_cn", match.tls->server_cn);
	const auto &http = match.tls->http;
	if (!http || !http->request || !http->request->host || !http->request->host->regex)
		return;
	const Path at_http(tls, "http");
	const Path at_request(at_http, "request");
	review_pattern(reading, {at_request, "host"}, *http->request->host->regex);
}

void review_group(Reading &reading, const Path &path, const model::SourceGroup &group)
{
	if (group.id == "internal" || group.id == "default" || group.id == "dns-intercept")
		reading.warn({path, "id"}, text("metrics and events use ", quoted(group.id),
						" for something else: "
						"take another name"));
	const Path rules(path, "rules");
	for (std::size_t i = 0; i < group.rules.size(); i++) {
		const model::Rule &rule = group.rules[i];
		const Path at(rules, i);
		const Path match(at, "match");
		review_match(reading, match, rule.match);
		if (rule.match.dns_hostname && selects_packets(rule.match) && !rule.strict_dns_binding)
			reading.warn(
				match,
				"dns_hostname does not limit the packets of this rule: they may go to any "
				"address that its other selectors allow; see match_dns_binding: strict");
	}
}

} // namespace

void review_policy(const model::Policy &policy, Reading &reading)
{
	const Path top;
	const Path groups(top, "source_groups");
	for (std::size_t i = 0; i < policy.source_groups.size(); i++)
		review_group(reading, {groups, i}, policy.source_groups[i]);
}

} // namespace neuwerk::policy
