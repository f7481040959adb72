// What handlers ask of a request, and how an error becomes a response.
#include "api/http.h"

#include "api/uri.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace neuwerk::api {

namespace {

char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

} // namespace

bool equal_names(std::string_view a, std::string_view b)
{
	return std::equal(a.begin(), a.end(), b.begin(), b.end(),
			  [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Request::header(std::string_view name) const
{
	for (const auto &[key, value] : headers)
		if (equal_names(key, name))
			return value;
	return std::nullopt;
}

std::vector<std::string> Call::query_values(std::string_view key) const
{
	std::vector<std::string> values;
	std::string_view rest = request.query;
	while (!rest.empty()) {
		const std::string_view pair = rest.substr(0, rest.find('&'));
		rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
		const auto equals = pair.find('=');
		if (decode_form(pair.substr(0, equals)) != key)
			continue;
		values.push_back(
			decode_form(equals == std::string_view::npos ? "" : pair.substr(equals + 1)));
	}
	return values;
}

std::optional<std::string> Call::query_value(std::string_view key) const
{
	std::vector<std::string> values = query_values(key);
	if (values.empty())
		return std::nullopt;
	return std::move(values.back());
}

Response error_response(const Error &error)
{
	return error_response(codes_of(error.kind).http_status, error.what);
}

Response error_response(int status, std::string_view what)
{
	Response response;
	response.status = status;
	// A message may quote what a client sent; the body is UTF-8 all the same.
	std::string clean(what);
	if (!is_utf8(clean))
		std::replace_if(
			clean.begin(), clean.end(), [](char c) { return static_cast<signed char>(c) < 0; },
			'?');
	response.body = boost::json::serialize(boost::json::value{{"error", clean}});
	return response;
}

} // namespace neuwerk::api
