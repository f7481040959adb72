// Where a request carries its token, who may write, and what a refusal is called in the metrics; needs no
// Store.
#include "identity/credentials.h"

#include "identity/spelling.h"

#include <algorithm>
#include <optional>

namespace neuwerk::identity {

namespace {

constexpr std::string_view cookie_name = "neuwerk_auth";

// The second word, when the first is "Bearer" in any case; nullopt: another scheme, or no token.
std::optional<std::string_view> bearer_token(std::string_view authorization)
{
	const std::string_view written = trimmed(authorization);
	const std::size_t end = written.find_first_of(blanks);
	if (end == std::string_view::npos || lower(written.substr(0, end)) != "bearer")
		return std::nullopt;
	const std::string_view rest = trimmed(written.substr(end));
	return rest.substr(0, rest.find_first_of(blanks));
}

// The first pair of that name; nullopt where there is none or it is empty (a browser after logout).
std::optional<std::string_view> cookie_token(std::string_view cookie)
{
	while (!cookie.empty()) {
		const std::size_t end = cookie.find(';');
		const std::string_view pair = trimmed(cookie.substr(0, end));
		cookie = end == std::string_view::npos ? std::string_view{} : cookie.substr(end + 1);
		const std::size_t equals = pair.find('=');
		if (equals == std::string_view::npos || pair.substr(0, equals) != cookie_name)
			continue;
		const std::string_view value = pair.substr(equals + 1);
		return value.empty() ? std::nullopt : std::optional(value);
	}
	return std::nullopt;
}

} // namespace

bool Subject::is_admin() const
{
	return std::ranges::any_of(roles, [](const auto &role) { return lower(role) == "admin"; });
}

Result<std::string_view> presented_token(const Credentials &credentials)
{
	if (credentials.authorization)
		if (const auto token = bearer_token(*credentials.authorization))
			return *token;
	if (credentials.cookie)
		if (const auto token = cookie_token(*credentials.cookie))
			return *token;
	return fail(ErrorKind::unauthenticated,
		    credentials.authorization ? "invalid authorization scheme" : "missing bearer token");
}

bool is_about_keyset(const Error &error)
{
	return error.what == "missing api auth keyset" || error.what.starts_with("api auth keyset:");
}

std::string_view denial_reason(const Error &error)
{
	if (error.what == "missing bearer token")
		return "missing_token";
	if (error.what == "invalid authorization scheme")
		return "invalid_scheme";
	if (error.kind != ErrorKind::unauthenticated || is_about_keyset(error))
		return "keyset_error";
	return "invalid_token";
}

} // namespace neuwerk::identity
