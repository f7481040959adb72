// Routes: SSO providers, spec/http-api §5.14 and §6: settings are stored, login has no engine yet.
#include "api/nouns.h"
#include "api/outbound.h"
#include "api/records.h"
#include "api/spelling.h"
#include "api/sso_provider.h"
#include "base/text.h"

#include <boost/json.hpp>

namespace neuwerk::api {

namespace json = boost::json;

namespace {

constexpr long provider_test_limit_ms = 5000;
constexpr std::string_view cleared_cookie =
	"neuwerk_sso=; Max-Age=0; HttpOnly; Secure; SameSite=Lax; Path=/api/v1/auth/sso/";
constexpr std::string_view no_engine = "sso login has no engine in this version: log in with a token";

Result<std::string> id_of(const Call &call)
{
	auto id = parse_uuid(call.parameters.at(0));
	if (!id)
		return fail(ErrorKind::invalid_argument, "invalid provider id");
	return *id;
}

Result<SsoProvider> find(Services &services, const Call &call)
{
	const auto id = id_of(call);
	if (!id)
		return tl::unexpected(id.error());
	return find_sso_provider(services.store, *id);
}

Response show(const Result<SsoProvider> &provider)
{
	if (!provider)
		return error_response(provider.error());
	return {.body = view_of(*provider)};
}

Response show_all(Services &services)
{
	const auto all = sso_providers(services.store);
	if (!all)
		return error_response(all.error());
	std::string body = "[";
	for (const SsoProvider &provider : *all)
		body += text(body.size() > 1 ? "," : "", view_of(provider));
	return {.body = body + "]"};
}

// For the login page: nobody is asked who they are.
Response show_enabled(Services &services)
{
	const auto all = sso_providers(services.store);
	if (!all)
		return error_response(all.error());
	json::array list;
	for (const SsoProvider &provider : *all)
		if (provider.is_enabled)
			list.push_back(json::object{
				{"id", provider.id}, {"name", provider.name}, {"kind", provider.kind}});
	return {.body = json::serialize(list)};
}

Result<SsoProvider> create(Services &services, const Call &call)
{
	auto provider = read_new_provider(call.request.body, services.sealing);
	if (!provider)
		return provider;
	const auto there = services.store.list(sso_provider_prefix);
	if (!there)
		return tl::unexpected(there.error());
	if (there->size() >= sso_provider_limit_count)
		return fail(ErrorKind::resource_exhausted,
			    text("sso providers: there are ", there->size(), " already, the limit is ",
				 sso_provider_limit_count, ": delete some"));
	provider->id = crypto::random_uuid();
	provider->created_at = provider->updated_at = identity::format_time(services.now_ms());
	const std::string key = sso_provider_key(provider->id);
	const auto written = services.store.write(
		{.operations = {state::require(key, 0), state::put(key, record_of(*provider))},
		 .actor = call.subject.sub});
	if (!written)
		return tl::unexpected(written.error());
	return provider;
}

// A provider that does not exist is told before the body is looked at (spec/http-api §2.1).
Result<SsoProvider> update(Services &services, const Call &call)
{
	const auto id = id_of(call);
	if (!id)
		return tl::unexpected(id.error());
	const std::string key = sso_provider_key(*id);
	Result<SsoProvider> after = SsoProvider{};
	const auto patch = [&](const std::optional<std::string> &current) -> Result<std::string> {
		if (!current)
			return fail(ErrorKind::not_found, "sso provider not found");
		auto before = sso_provider_of(key, *current);
		if (!before)
			return tl::unexpected(before.error());
		after = patch_provider(std::move(*before), call.request.body, services.sealing);
		if (!after)
			return tl::unexpected(after.error());
		after->updated_at = identity::format_time(services.now_ms());
		return record_of(*after);
	};
	if (const auto written = rewrite(services.store, key, call.subject.sub, patch); !written)
		return tl::unexpected(written.error());
	return after;
}

// 204 whether it existed or not.
Response remove(Services &services, const Call &call)
{
	const auto id = id_of(call);
	if (!id)
		return error_response(id.error());
	const auto written = services.store.write(
		{.operations = {state::erase(sso_provider_key(*id))}, .actor = call.subject.sub});
	return written ? Response{.status = 204} : error_response(written.error());
}

Response test(Services &services, const Call &call)
{
	const auto provider = find(services, call);
	if (!provider)
		return error_response(provider.error());
	const auto url = authorization_url_of(*provider);
	if (!url)
		return error_response(url.error());
	const auto status = status_of_get(*url, provider_test_limit_ms);
	const bool is_ok = status && *status >= 200 && *status < 400;
	const std::string details = is_ok    ? "provider authorization endpoint reachable"
				    : status ? text("authorization endpoint returned ", *status)
					     : text("provider request failed: ", status.error().what);
	return {.body = json::serialize(json::object{{"ok", is_ok}, {"details", details}})};
}

Response start_login(Services &services, const Call &call)
{
	const auto provider = find(services, call);
	if (!provider)
		return error_response(provider.error());
	if (!provider->is_enabled)
		return error_response(400, "sso provider is disabled");
	return error_response(503, no_engine);
}

// No login was ever started here, so whatever comes back ends here too, and its cookie goes.
Response finish_login(const Call &call)
{
	Response response;
	const auto denied = call.query_value("error");
	if (const auto id = id_of(call); !id)
		response = error_response(id.error());
	else if (denied)
		response = error_response(401,
					  trimmed(text("sso provider denied login: ", *denied, " ",
						       call.query_value("error_description").value_or(""))));
	else if (!call.query_value("code"))
		response = error_response(400, "missing code");
	else if (!call.query_value("state"))
		response = error_response(400, "missing state");
	else
		response = error_response(503, no_engine);
	response.headers.emplace_back("Set-Cookie", cleared_cookie);
	return response;
}

void add_login_routes(Routes &routes, Services &services)
{
	routes.push_back({.method = Method::get,
			  .path = "/api/v1/auth/sso/providers",
			  .access = Access::open,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Auth",
					    .summary = "Providers that a login page offers",
					    .response = R"({"type":"array","items":)"
							R"({"$ref":"#/components/schemas/SsoChoice"}})"},
			  .handle = [&services](const Call &) { return show_enabled(services); }});
	routes.push_back({.method = Method::get,
			  .path = "/api/v1/auth/sso/{id}/start",
			  .access = Access::open,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Auth",
					    .summary = "Begin an SSO login; this version answers 503",
					    .query = {"next"},
					    .success = 302},
			  .handle = [&services](const Call &call) { return start_login(services, call); }});
	routes.push_back({.method = Method::get,
			  .path = "/api/v1/auth/sso/{id}/callback",
			  .access = Access::open,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Auth",
					    .summary = "End an SSO login; this version answers 503",
					    .query = {"code", "state", "error", "error_description"},
					    .success = 302},
			  .handle = finish_login});
}

} // namespace

void add_sso_routes(Routes &routes, Services &services)
{
	add_login_routes(routes, services);
	constexpr std::string_view all = "/api/v1/settings/sso/providers";
	constexpr std::string_view one = "/api/v1/settings/sso/providers/{id}";
	const auto add = [&](Method method, std::string_view path, Reads reads, Documentation documentation,
			     std::function<Response(const Call &)> handle) {
		documentation.tag = "Settings";
		routes.push_back({.method = method,
				  .path = path,
				  .access = Access::user,
				  .reads = reads,
				  .documentation = std::move(documentation),
				  .handle = std::move(handle)});
	};
	add(Method::get, all, Reads::no_body,
	    {.summary = "All SSO providers, disabled ones too; never their secrets",
	     .response = R"({"type":"array","items":{"$ref":"#/components/schemas/SsoProvider"}})"},
	    [&services](const Call &) { return show_all(services); });
	add(Method::post, all, Reads::json_body,
	    {.summary = "Add an SSO provider", .request = "#SsoProviderCreate", .response = "#SsoProvider"},
	    [&services](const Call &call) { return show(create(services, call)); });
	add(Method::get, one, Reads::no_body,
	    {.summary = "One SSO provider; never its secret", .response = "#SsoProvider"},
	    [&services](const Call &call) { return show(find(services, call)); });
	add(Method::put, one, Reads::json_body,
	    {.summary = "Change the keys that are sent; \"\" clears URLs and claims",
	     .request = "#SsoProviderUpdate",
	     .response = "#SsoProvider"},
	    [&services](const Call &call) { return show(update(services, call)); });
	add(Method::erase, one, Reads::no_body, {.summary = "Remove an SSO provider", .success = 204},
	    [&services](const Call &call) { return remove(services, call); });
	add(Method::post, "/api/v1/settings/sso/providers/{id}/test", Reads::no_body,
	    {.summary = "Ask the provider's authorization endpoint whether it is there",
	     .response = "#SsoProviderTest"},
	    [&services](const Call &call) { return test(services, call); });
}

} // namespace neuwerk::api
