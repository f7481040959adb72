// Reads the HTTP constraints of an intercept rule (spec/dataplane §1.5).
//
// A matcher that is present must constrain something; an empty `request: {}` or `response: {}` may stand.
#include "policy/read.h"

#include "base/text.h"
#include "policy/regex.h"

#include <algorithm>

namespace neuwerk::policy {

namespace {

constexpr std::string_view code = "E_HTTP_EMPTY";

enum class Letters { as_written, lower, upper };

std::string in_letters(std::string_view word, Letters letters)
{
	if (letters == Letters::as_written)
		return std::string(word);
	return letters == Letters::lower ? lower_case(word) : upper_case(word);
}

std::string read_regex(Reading &reading, std::string_view word, const Path &path, Case letters)
{
	std::string pattern(trimmed(word));
	const std::string problem =
		pattern.empty() ? "blank: a pattern must say something" : problem_of_regex(pattern, letters);
	if (!problem.empty())
		reading.fail(code, path, text(quoted(pattern), " is not a regular expression: ", problem));
	return pattern;
}

std::optional<std::string> read_optional_regex(Reading &reading, Object &object, Case letters)
{
	const auto word = object.optional_text("regex");
	if (!word)
		return std::nullopt;
	return read_regex(reading, *word, object.path("regex"), letters);
}

// Blank values say nothing and are dropped; what is left stays as written but for its letters.
std::vector<std::string> read_values(Reading &reading, Object &object, std::string_view key, Letters letters)
{
	std::vector<std::string> values;
	for (const std::string &value : read_texts(reading, object, key))
		if (!trimmed(value).empty())
			values.push_back(
				in_letters(letters == Letters::as_written ? value : trimmed(value), letters));
	return values;
}

// Names (methods, query keys, headers): none may be blank.
std::vector<std::string> read_names(Reading &reading, Object &object, std::string_view key, Letters letters)
{
	std::vector<std::string> names;
	object.each(key, [&](const Node &item, const Path &path) {
		const std::string_view name = trimmed(as_text(reading, item, path));
		if (name.empty())
			reading.fail(code, path, "blank: a name must say something");
		names.push_back(in_letters(name, letters));
	});
	return names;
}

std::string as_entry_name(Reading &reading, std::string_view name, Letters letters, const Path &path)
{
	if (trimmed(name).empty())
		reading.fail(code, path, "blank: an entry needs a name");
	return in_letters(trimmed(name), letters);
}

// Sorted by name; two spellings of one name are a mistake of the author.
template <typename Entry>
void sort_entries(Reading &reading, std::vector<Entry> &entries, const Path &path)
{
	std::sort(entries.begin(), entries.end(),
		  [](const Entry &a, const Entry &b) { return a.name < b.name; });
	const auto twice =
		std::adjacent_find(entries.begin(), entries.end(),
				   [](const Entry &a, const Entry &b) { return a.name == b.name; });
	if (twice != entries.end())
		reading.fail("E_JSON", path,
			     text(quoted(twice->name), " occurs twice, in different spellings"));
}

std::vector<model::NamedValues> read_exact_map(Reading &reading, Object &object, std::string_view key,
					       Letters letters)
{
	std::vector<model::NamedValues> entries;
	object.each_entry(key, [&](std::string_view name, const Node &item, const Path &path) {
		model::NamedValues entry{as_entry_name(reading, name, letters, path), {}};
		if (item.kind != Node::Kind::array)
			reading.fail("E_JSON", path, text("expected a list, found ", kind_name(item.kind)));
		for (std::size_t i = 0; i < item.items.size(); i++) {
			const std::string_view value = as_text(reading, item.items[i], {path, i});
			if (!trimmed(value).empty())
				entry.values.emplace_back(value);
		}
		if (entry.values.empty())
			reading.fail(code, path, "no value is left: nothing could match");
		entries.push_back(std::move(entry));
	});
	sort_entries(reading, entries, object.path(key));
	return entries;
}

std::vector<model::NamedRegex> read_regex_map(Reading &reading, Object &object, std::string_view key,
					      Letters letters)
{
	std::vector<model::NamedRegex> entries;
	object.each_entry(key, [&](std::string_view name, const Node &item, const Path &path) {
		entries.push_back({as_entry_name(reading, name, letters, path),
				   read_regex(reading, as_text(reading, item, path), path, Case::sensitive)});
	});
	sort_entries(reading, entries, object.path(key));
	return entries;
}

void require(Reading &reading, bool constrains, const Path &path)
{
	if (!constrains)
		reading.fail(code, path, "present, but empty: it would constrain nothing");
}

model::HttpHost read_host(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	model::HttpHost host{read_values(reading, object, "exact", Letters::lower),
			     read_optional_regex(reading, object, Case::insensitive)};
	require(reading, !host.exact.empty() || host.regex, path);
	return host;
}

model::HttpPath read_path(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	model::HttpPath matcher{read_values(reading, object, "exact", Letters::as_written),
				read_values(reading, object, "prefix", Letters::as_written),
				read_optional_regex(reading, object, Case::sensitive)};
	require(reading, !matcher.exact.empty() || !matcher.prefix.empty() || matcher.regex, path);
	return matcher;
}

model::HttpQuery read_query(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	model::HttpQuery query{read_names(reading, object, "keys_present", Letters::as_written),
			       read_exact_map(reading, object, "key_values_exact", Letters::as_written),
			       read_regex_map(reading, object, "key_values_regex", Letters::as_written)};
	require(reading,
		!query.keys_present.empty() || !query.key_values_exact.empty() ||
			!query.key_values_regex.empty(),
		path);
	return query;
}

std::optional<model::HttpHeaders> read_headers(Reading &reading, Object &message)
{
	const Node *node = message.find("headers");
	if (!node)
		return std::nullopt;
	const Path path = message.path("headers");
	Object object(reading, *node, path);
	model::HttpHeaders headers{read_names(reading, object, "require_present", Letters::lower),
				   read_names(reading, object, "deny_present", Letters::lower),
				   read_exact_map(reading, object, "exact", Letters::lower),
				   read_regex_map(reading, object, "regex", Letters::lower)};
	require(reading,
		!headers.require_present.empty() || !headers.deny_present.empty() || !headers.exact.empty() ||
			!headers.regex.empty(),
		path);
	return headers;
}

model::HttpRequest read_request(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	model::HttpRequest request;
	if (const Node *host = object.find("host"))
		request.host = read_host(reading, *host, object.path("host"));
	request.methods = read_names(reading, object, "methods", Letters::upper);
	if (const Node *matcher = object.find("path"))
		request.path = read_path(reading, *matcher, object.path("path"));
	if (const Node *query = object.find("query"))
		request.query = read_query(reading, *query, object.path("query"));
	request.headers = read_headers(reading, object);
	return request;
}

model::HttpResponse read_response(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	return {read_headers(reading, object)};
}

} // namespace

model::Http read_http(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	model::Http http;
	if (const Node *request = object.find("request"))
		http.request = read_request(reading, *request, object.path("request"));
	if (const Node *response = object.find("response"))
		http.response = read_response(reading, *response, object.path("response"));
	if (!http.request && !http.response)
		reading.fail(code, path, "neither request nor response is given");
	return http;
}

} // namespace neuwerk::policy
