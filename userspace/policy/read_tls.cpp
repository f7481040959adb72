// Reads the TLS block of a match and normalises its names (spec/dataplane §1.5).
#include "policy/read.h"

#include "base/text.h"
#include "policy/certificate.h"
#include "policy/regex.h"

#include <algorithm>

namespace neuwerk::policy {

namespace {

std::string read_name_regex(Reading &reading, std::string_view word, const Path &path)
{
	std::string pattern(trimmed(word));
	if (pattern.empty())
		reading.fail("E_NAME_EMPTY", path, "blank: a pattern must say something");
	else if (const std::string problem = problem_of_regex(pattern, Case::insensitive); !problem.empty())
		reading.fail("E_NAME_REGEX", path,
			     text(quoted(pattern), " is not a regular expression: ", problem));
	return pattern;
}

void add_exact_name(std::string_view word, std::vector<std::string> &out)
{
	std::string name = lower_case(trimmed(word));
	name.erase(name.find_last_not_of('.') + 1);
	if (!name.empty())
		out.push_back(std::move(name));
}

// A bare text is a regular expression, a list is exact, an object may hold both.
std::optional<model::NameMatch> read_name_match(Reading &reading, Object &tls, std::string_view key)
{
	const Node *node = tls.find(key);
	if (!node)
		return std::nullopt;
	const Path path = tls.path(key);
	model::NameMatch match;
	if (node->kind == Node::Kind::text) {
		match.regex = read_name_regex(reading, node->text, path);
	} else if (node->kind == Node::Kind::array) {
		for (std::size_t i = 0; i < node->items.size(); i++)
			add_exact_name(as_text(reading, node->items[i], {path, i}), match.exact);
	} else {
		Object object(reading, *node, path);
		for (const std::string &name : read_texts(reading, object, "exact"))
			add_exact_name(name, match.exact);
		if (const auto word = object.optional_text("regex"))
			match.regex = read_name_regex(reading, *word, object.path("regex"));
	}
	if (match.exact.empty() && !match.regex)
		reading.fail("E_NAME_EMPTY", path,
			     "neither a name nor a pattern is left: nothing could match");
	return match;
}

std::string replaced(std::string_view value, std::string_view from, std::string_view to)
{
	std::string out;
	for (std::size_t at; (at = value.find(from)) != std::string_view::npos;
	     value.remove_prefix(at + from.size()))
		out.append(value.substr(0, at)).append(to);
	return out.append(value);
}

// Both sides of the comparison lose the blanks that printers put around ',' and '+'.
std::optional<std::string> read_distinguished_name(Reading &reading, Object &tls)
{
	const auto word = tls.optional_text("server_dn");
	if (!word)
		return std::nullopt;
	const std::string name = replaced(replaced(trimmed(*word), ", ", ","), " + ", "+");
	if (name.empty())
		reading.fail("E_DN_EMPTY", tls.path("server_dn"), "blank: a name must say something");
	return name;
}

std::string as_fingerprint(Reading &reading, std::string_view word, const Path &path)
{
	constexpr std::size_t sha256_digits = 64;
	std::string digits = lower_case(word);
	std::erase_if(digits, [](char c) { return c == ':' || trimmed({&c, 1}).empty(); });
	if (digits.size() != sha256_digits ||
	    digits.find_first_not_of("0123456789abcdef") != std::string::npos)
		reading.fail("E_FP", path,
			     text(quoted(word), " is not a SHA-256 fingerprint of 64 hex digits"));
	return digits;
}

model::TlsMode read_mode(Reading &reading, Object &object)
{
	const auto word = object.optional_text("mode");
	if (word && *word != "metadata" && *word != "intercept")
		reading.fail("E_JSON", object.path("mode"),
			     text(quoted(*word), " is not a TLS mode: metadata or intercept, in lower case"));
	return word == "intercept" ? model::TlsMode::intercept : model::TlsMode::metadata;
}

model::Action read_uninspectable(Reading &reading, Object &object)
{
	const auto word = object.optional_text("tls13_uninspectable");
	if (word && *word != "allow" && *word != "deny")
		reading.fail("E_JSON", object.path("tls13_uninspectable"),
			     text(quoted(*word), " is neither allow nor deny, in lower case"));
	return word == "allow" ? model::Action::allow : model::Action::deny;
}

void check_mode(Reading &reading, const model::Tls &tls, const Path &path)
{
	if (tls.mode == model::TlsMode::metadata) {
		if (tls.http)
			reading.fail("E_HTTP_MODE", path, "http needs mode: intercept");
		return;
	}
	if (tls.sni || tls.server_dn || tls.server_san || tls.server_cn || !tls.fingerprint_sha256.empty() ||
	    !tls.trust_anchors_pem.empty())
		reading.fail("E_INTERCEPT_MIX", path,
			     "intercept cannot be combined with matchers of names or certificates");
	if (!tls.http)
		reading.fail("E_INTERCEPT_HTTP", path, "intercept needs http");
}

} // namespace

std::vector<std::string> read_texts(Reading &reading, Object &object, std::string_view key)
{
	std::vector<std::string> texts;
	object.each(key, [&](const Node &item, const Path &path) {
		texts.emplace_back(as_text(reading, item, path));
	});
	return texts;
}

model::Tls read_tls(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	model::Tls tls;
	tls.mode = read_mode(reading, object);
	tls.sni = read_name_match(reading, object, "sni");
	tls.server_dn = read_distinguished_name(reading, object);
	tls.server_san = read_name_match(reading, object, "server_san");
	tls.server_cn = read_name_match(reading, object, "server_cn");
	object.each("fingerprint_sha256", [&](const Node &item, const Path &at) {
		tls.fingerprint_sha256.push_back(as_fingerprint(reading, as_text(reading, item, at), at));
	});
	object.each("trust_anchors_pem", [&](const Node &item, const Path &at) {
		const std::string_view pem = as_text(reading, item, at);
		if (const std::string problem = problem_of_trust_anchor(pem); !problem.empty())
			reading.fail("E_PEM", at, problem);
		tls.trust_anchors_pem.emplace_back(pem);
	});
	tls.tls13_uninspectable = read_uninspectable(reading, object);
	if (const Node *http = object.find("http"))
		tls.http = read_http(reading, *http, object.path("http"));
	check_mode(reading, tls, path);
	return tls;
}

} // namespace neuwerk::policy
