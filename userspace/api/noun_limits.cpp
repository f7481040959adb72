// Routes: the bounds that a client may meet. docs/reference/limits.md has all, with what happens beyond them.
#include "api/diagnostics_query.h"
#include "api/integration_record.h"
#include "api/nouns.h"
#include "api/sso_provider.h"
#include "api/threat_silence.h"
#include "policy/policy.h"

#include <boost/json.hpp>

namespace neuwerk::api {

namespace {

namespace json = boost::json;

constexpr std::string_view schema = R"({"type": "array", "items": {"type": "object", "properties": {
"name": {"type": "string"}, "value": {"type": "integer"}, "unit": {"type": "string"}, "what": {"type": "string"}
}, "required": ["name", "value", "unit", "what"]}})";

struct Limit {
	std::string_view name;
	std::uint64_t value;
	std::string_view unit, what;
};

std::string limits(std::size_t policy_body_bytes)
{
	const ServerLimits server;
	const auto seconds = [](std::chrono::milliseconds time) {
		return static_cast<std::uint64_t>(time.count() / 1000);
	};
	const Limit all[] = {
		{"request_body", server.body_bytes, "bytes", "body of a request"},
		{"policy_body", policy_body_bytes, "bytes", "body with a policy"},
		{"policy_document", policy::document_limit_bytes, "bytes", "policy document"},
		{"request_header", server.header_bytes, "bytes", "headers of a request"},
		{"connections", server.connection_count, "count", "open connections"},
		{"streams", server.stream_count, "count", "event streams at a time"},
		{"workers", server.worker_count, "count", "requests at work at a time"},
		{"header_time", seconds(server.header), "seconds", "until the headers are there"},
		{"body_time", seconds(server.body), "seconds", "until the body is there"},
		{"idle_time", seconds(server.idle), "seconds", "between requests of one connection"},
		{"flows", flow_limit_max, "count", "flows in one answer"},
		{"record", state::value_limit_bytes, "bytes", "value of a record"},
		{"keys", identity::key_limit_count, "count", "signing keys"},
		{"service_accounts", identity::account_limit_count, "count", "service accounts"},
		{"tokens", identity::token_limit_count, "count", "tokens of service accounts"},
		{"login_failures", identity::LoginLimiter::failure_limit_count, "count",
		 "failed logins with one token from one address in 60 s"},
		{"integrations", integration_limit_count, "count", "Kubernetes integrations"},
		{"sso_providers", sso_provider_limit_count, "count", "SSO providers"},
		{"threat_silences", silences_limit_bytes, "bytes", "threat silences, together"},
	};
	json::array rows;
	for (const Limit &limit : all)
		rows.push_back(json::object{{"name", limit.name},
					    {"value", limit.value},
					    {"unit", limit.unit},
					    {"what", limit.what}});
	return json::serialize(rows);
}

} // namespace

void add_limits_routes(Routes &routes, Services &services)
{
	routes.push_back({.method = Method::get,
			  .path = "/api/v1/limits",
			  .access = Access::user,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Diagnostics",
					    .summary = "The bounds that a client may meet",
					    .response = schema},
			  .handle =
				  [&services](const Call &) {
					  return Response{.body = limits(services.policy_body_bytes)};
				  },
			  .quick = true});
}

} // namespace neuwerk::api
