// The one table of routes: the server serves from it, the OpenAPI document is printed from it.
#pragma once

#include "api/http.h"

#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::api {

enum class Access {
	open,  // nobody is asked who they are
	user,  // any valid token for GET and HEAD; role admin for everything else (spec §3.1)
	admin, // role admin, whatever the method
	local, // the Unix socket only: 404 elsewhere
};

enum class Reads { no_body, json_body, policy_body }; // 2 MiB; policy_body: api.policy_body_max_mib

// What OpenAPI says of a route. `request` and `response` are JSON Schemas as text, or names of
// "#/components/schemas/…" written as "#Name"; empty: none.
struct Documentation {
	std::string_view
		tag; // Auth, Policies, Integrations, Service Accounts, Settings, Threats, Diagnostics
	std::string_view summary;
	std::string_view request = "";
	std::string_view response = "";
	std::string_view response_type = "application/json";
	std::vector<std::string_view> query = {}; // names of query parameters
	int success = 200;
};

struct Route {
	Method method;
	std::string_view path; // "/api/v1/service-accounts/{id}"
	Access access;
	Reads reads;
	Documentation documentation;
	// Called on a worker thread; may block (a write waits for its fsync). Must not throw.
	std::function<Response(const Call &)> handle;
	// Answers from memory in microseconds: runs on the I/O thread.
	bool quick = false;
};

using Routes = std::vector<Route>;

struct Schema {
	std::string_view name;
	std::string_view json; // JSON Schema
};

// OpenAPI 3.1 of the table. `schemas` become components.
[[nodiscard]] std::string openapi(const Routes &routes, const std::vector<Schema> &schemas);

} // namespace neuwerk::api
