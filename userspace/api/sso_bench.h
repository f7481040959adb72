// For tests of SSO providers: the routes, bodies of requests, and what they answer.
#pragma once

#include "api/route_bench.h"
#include "base/text.h"

namespace neuwerk::api {

inline constexpr std::string_view all_providers = "/api/v1/settings/sso/providers";
inline constexpr std::string_view nobody = "0f8fad5b-d9cb-469f-a165-70867728950e";

inline std::string provider_body(json::object changes = {})
{
	json::object object{{"name", "Google"},
			    {"kind", "google"},
			    {"client_id", "client-1"},
			    {"client_secret", "very secret"}};
	for (const auto &[key, value] : changes)
		object[key] = value;
	return json::serialize(object);
}

struct Sso : RouteBench {
	Sso() : RouteBench(add_sso_routes) {}

	json::object create(const json::object &changes = {})
	{
		const Answer answer = send(Method::post, all_providers, provider_body(changes));
		REQUIRE_MESSAGE(answer.status == 200, answer.body);
		return answer.tree().as_object();
	}
	// Path of a provider that create() answered.
	static std::string path(const json::object &provider)
	{
		return text(all_providers, "/", std::string_view(provider.at("id").as_string()));
	}
	Answer patch(const json::object &provider, const json::object &changes)
	{
		return send(Method::put, path(provider), json::serialize(changes));
	}
};

inline const json::object default_provider = json::parse(R"({
	"created_at": "2027-01-15T08:00:00.123Z", "updated_at": "2027-01-15T08:00:00.123Z",
	"name": "Google", "kind": "google", "enabled": true, "display_order": 0,
	"issuer_url": null, "authorization_url": null, "token_url": null, "userinfo_url": null,
	"client_id": "client-1", "client_secret_configured": true, "scopes": [], "pkce_required": true,
	"subject_claim": "sub", "email_claim": null, "groups_claim": null, "default_role": "readonly",
	"admin_subjects": [], "admin_groups": [], "admin_email_domains": [],
	"readonly_subjects": [], "readonly_groups": [], "readonly_email_domains": [],
	"allowed_email_domains": [], "session_ttl_secs": 28800})")
						     .as_object();

// Everything that a client can set.
inline const json::object full_provider = json::parse(R"({
	"name": " Corp ", "kind": "generic-oidc", "enabled": false, "display_order": -7,
	"issuer_url": "https://idp.example/", "authorization_url": "https://idp.example/auth",
	"token_url": "https://idp.example/token", "userinfo_url": "http://[::1]:9/userinfo",
	"client_id": "c", "scopes": ["openid", "email", "openid"], "pkce_required": false,
	"subject_claim": "oid", "email_claim": "mail", "groups_claim": "groups", "default_role": "admin",
	"admin_subjects": ["a"], "admin_groups": ["Admins"], "admin_email_domains": ["Example.org"],
	"readonly_subjects": ["r"], "readonly_groups": ["g", "h"], "readonly_email_domains": ["e"],
	"allowed_email_domains": ["x", "y"], "session_ttl_secs": 2592000})")
						  .as_object();

} // namespace neuwerk::api
