// The bytes of a response; names of header fields are written in lower case, as spec/http-api writes them.
#include "api/response_writer.h"

#include "base/log.h"
#include "base/text.h"

#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <array>
#include <ctime>

namespace neuwerk::api {

namespace {

struct House {
	std::string_view name, value;
};
constexpr std::array<House, 5> house_headers{{
	{"x-content-type-options", "nosniff"},
	{"x-frame-options", "DENY"},
	{"referrer-policy", "no-referrer"},
	{"permissions-policy", "accelerometer=(), camera=(), geolocation=(), microphone=()"},
	{"strict-transport-security", "max-age=31536000; includeSubDomains"},
}};
constexpr std::string_view api_content_policy =
	"default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
	"connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";
constexpr std::string_view ui_content_policy =
	"default-src 'self'; script-src 'self'; style-src 'self'; font-src 'self' data:; img-src 'self' "
	"data:; "
	"connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

// Of now; formatted once per second and thread.
std::string_view date()
{
	thread_local std::time_t written = 0;
	thread_local std::array<char, 40> buffer{};
	const std::time_t now = std::time(nullptr);
	if (now != written) {
		std::tm parts{};
		gmtime_r(&now, &parts);
		(void)std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
		written = now;
	}
	return buffer.data();
}

bool has_header(const Response &response, std::string_view name)
{
	return std::any_of(response.headers.begin(), response.headers.end(),
			   [&](const auto &header) { return equal_names(header.first, name); });
}

void add(std::string &out, std::string_view name, std::string_view value)
{
	out += name;
	out += ": ";
	out += value;
	out += "\r\n";
}

void add_unless_given(std::string &out, const Response &response, std::string_view name,
		      std::string_view value)
{
	if (!has_header(response, name))
		add(out, name, value);
}

// A line break in a value would end the header: a handler that lets one through must not split the response.
bool is_printable(std::string_view value)
{
	return std::none_of(value.begin(), value.end(), [](char c) {
		return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
	});
}

bool has_no_content(int status)
{
	return status == 204 || status == 304;
}

} // namespace

bool has_body(const Response &response, const Framing &framing)
{
	return !framing.is_head && !has_no_content(response.status) &&
	       (response.stream || !response.body.empty());
}

std::string write_head(const Response &response, const Framing &framing)
{
	std::string out;
	out.reserve(1200 + response.body.size());
	const auto reason =
		boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
	out += text("HTTP/1.1 ", response.status, " ", std::string_view(reason.data(), reason.size()),
		    "\r\n");
	add_unless_given(out, response, "date", date());
	if (response.stream || !response.body.empty())
		add_unless_given(out, response, "content-type", response.content_type);
	if (response.stream)
		add_unless_given(out, response, "cache-control", "no-cache");
	if (framing.path.starts_with("/api/v1/auth/"))
		add_unless_given(out, response, "cache-control", "no-store");
	if (response.status == 401)
		add_unless_given(out, response, "www-authenticate", "Bearer");
	for (const auto &[name, value] : house_headers)
		add_unless_given(out, response, name, value);
	add_unless_given(out, response, "content-security-policy",
			 framing.path.starts_with("/api/") ? api_content_policy : ui_content_policy);
	for (const auto &[name, value] : response.headers) {
		if (is_printable(value))
			add(out, name, value);
		else
			log::error(text("api: ", framing.path, ": header ", name,
					" left out: it holds a control character"));
	}
	if (!framing.keep_alive)
		add(out, "connection", "close");
	else if (framing.is_http10)
		add(out, "connection", "keep-alive");
	if (response.stream && !framing.is_http10)
		add(out, "transfer-encoding", "chunked");
	else if (!response.stream && !has_no_content(response.status))
		add(out, "content-length", text(response.body.size()));
	out += "\r\n";
	return out;
}

std::string write_chunk(std::string_view bytes, const Framing &framing)
{
	if (framing.is_http10)
		return std::string(bytes);
	constexpr std::string_view digits = "0123456789abcdef";
	std::string size;
	for (std::size_t rest = bytes.size(); rest > 0; rest /= 16)
		size.insert(size.begin(), digits[rest % 16]);
	return text(size, "\r\n", bytes, "\r\n");
}

std::string_view last_chunk(const Framing &framing)
{
	return framing.is_http10 ? "" : "0\r\n\r\n";
}

} // namespace neuwerk::api
