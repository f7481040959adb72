// Routes: login, logout, whoami (spec/http-api §5.2).
#include "api/fields.h"
#include "api/nouns.h"
#include "api/spelling.h"
#include "base/text.h"

#include <boost/json.hpp>

#include <chrono>

namespace neuwerk::api {

namespace {

namespace json = boost::json;

constexpr std::size_t token_limit_bytes = 8192;
constexpr std::string_view cookie_attributes = "HttpOnly; Secure; SameSite=Strict; Path=/";
constexpr std::string_view user_schema = "#AuthUser";

std::int64_t monotonic_ms()
{
	using namespace std::chrono;
	return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

// `roles` is an array even when there is none.
std::string auth_user(const identity::Subject &subject)
{
	return json::serialize(json::object{
		{"sub", subject.sub},
		{"sa_id", subject.service_account ? json::value(*subject.service_account) : json::value()},
		{"exp", subject.expires_s ? json::value(*subject.expires_s) : json::value()},
		{"roles", json::value_from(subject.roles)}});
}

// Trimmed first, then one "Bearer " taken off: "Bearer " alone is the token "Bearer".
Result<std::string> presented_token(const Request &request)
{
	std::string written;
	Fields fields(request.body);
	fields.required("token", written);
	if (auto read = fields.result(); !read)
		return tl::unexpected(std::move(read.error()));
	std::string_view token = trimmed(written);
	if (token.starts_with("Bearer ") || token.starts_with("bearer "))
		token = trimmed(token.substr(7));
	if (token.empty())
		return fail(ErrorKind::invalid_argument, "token is required");
	if (token.size() > token_limit_bytes)
		return fail(ErrorKind::invalid_argument, "token too large");
	return std::string(token);
}

Response log_in(identity::Identity &identity, identity::LoginLimiter &limiter, const Call &call)
{
	const auto token = presented_token(call.request);
	if (!token)
		return error_response(token.error());
	if (!limiter.allows(call.request.peer, *token))
		return error_response(429, "too many login attempts");
	const auto subject = identity.check_token(*token);
	if (!subject && subject.error().kind != ErrorKind::unauthenticated)
		return error_response(500, subject.error().what);
	if (!subject) {
		limiter.failed(call.request.peer, *token);
		return error_response(subject.error());
	}
	limiter.succeeded(call.request.peer, *token);
	// A genuine token is base64url and dots: it needs no quoting.
	return {.body = auth_user(*subject),
		.headers = {{"set-cookie", text("neuwerk_auth=", *token, "; ", cookie_attributes)}}};
}

Response log_out()
{
	return {.status = 204,
		.headers = {{"set-cookie", text("neuwerk_auth=; Max-Age=0; ", cookie_attributes)}}};
}

} // namespace

void add_session_routes(Routes &routes, Services &services)
{
	const auto limiter = std::make_shared<identity::LoginLimiter>(monotonic_ms);
	routes.push_back({.method = Method::post,
			  .path = "/api/v1/auth/token-login",
			  .access = Access::open,
			  .reads = Reads::json_body,
			  .documentation = {.tag = "Auth",
					    .summary = "Put a token into a cookie",
					    .request = "#TokenLogin",
					    .response = user_schema},
			  .handle = [&identity = services.identity, limiter](const Call &call) {
				  return log_in(identity, *limiter, call);
			  }});
	routes.push_back({.method = Method::post,
			  .path = "/api/v1/auth/logout",
			  .access = Access::open,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Auth",
					    .summary = "Clear the cookie; the token itself stays valid",
					    .success = 204},
			  .handle = [](const Call &) { return log_out(); },
			  .quick = true});
	routes.push_back(
		{.method = Method::get,
		 .path = "/api/v1/auth/whoami",
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation = {.tag = "Auth",
				   .summary = "Who the caller is, and which roles count",
				   .response = user_schema},
		 .handle = [](const Call &call) { return Response{.body = auth_user(call.subject)}; },
		 .quick = true});
}

} // namespace neuwerk::api
