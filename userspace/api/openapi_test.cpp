// The OpenAPI document describes every route, and what it says is well-formed.
#include "api/route_bench.h"

#include <doctest/doctest.h>

#include <set>

using namespace neuwerk;
using namespace neuwerk::api;

namespace {

struct Table {
	std::unique_ptr<RouteBench> bench; // owns what the routes point at
	static inline Routes routes;

	Table()
	{
		bench = std::make_unique<RouteBench>([](Routes &own, Services &services) {
			routes = all_routes(services);
			own = routes;
		});
	}
};

// Every "$ref" below `value`.
void collect_references(const json::value &value, std::set<std::string> &out)
{
	if (const auto *object = value.if_object())
		for (const auto &[key, member] : *object) {
			if (key == "$ref")
				out.insert(std::string(member.as_string()));
			collect_references(member, out);
		}
	if (const auto *array = value.if_array())
		for (const json::value &item : *array)
			collect_references(item, out);
}

const std::set<std::string_view> known_tags{"Auth",     "Policies", "Integrations", "Service Accounts",
					    "Settings", "Threats",  "Diagnostics"};

} // namespace

TEST_CASE("every route is documented: tag, summary, and what it takes and gives")
{
	const Table table;
	for (const Route &route : table.routes) {
		const Documentation &about = route.documentation;
		CAPTURE(route.path);
		CAPTURE(static_cast<int>(route.method));
		CHECK(known_tags.contains(about.tag));
		CHECK(!about.summary.empty());
		if (route.reads != Reads::no_body)
			CHECK(!about.request.empty());
		if (about.success == 200 && about.response_type == "application/json")
			CHECK(!about.response.empty());
		CHECK(route.handle);
	}
}

TEST_CASE("no route stands twice")
{
	const Table table;
	std::set<std::pair<std::string, Method>> seen;
	for (const Route &route : table.routes) {
		CAPTURE(route.path);
		CHECK(seen.emplace(route.path, route.method).second);
	}
}

TEST_CASE("the document is served, has every route of HTTPS, and each reference leads somewhere")
{
	Table table;
	const Answer answer = table.bench->get("/api/v1/openapi.json");
	REQUIRE(answer.status == 200);
	const json::value document = answer.tree();
	CHECK(document.at("openapi") == "3.1.0");
	CHECK(document.at("info").at("title") == "Neuwerk HTTP API");
	CHECK(document.at("info").at("version") == "0.1.0");
	const json::object &paths = document.at("paths").as_object();
	for (const char *path :
	     {"/api/v1/policy", "/api/v1/cluster/members", "/api/v1/cluster/members/{node_id}/remove",
	      "/api/v1/cluster/members/voters", "/api/v1/service-accounts",
	      "/api/v1/settings/performance-mode", "/api/v1/settings/threat-intel"}) {
		CAPTURE(path);
		CHECK(paths.contains(path));
	}
	for (const Route &route : table.routes) {
		CAPTURE(route.path);
		CHECK(paths.contains(route.path) == (route.access != Access::local));
	}
	std::set<std::string> references;
	collect_references(document, references);
	const json::object &schemas = document.at("components").at("schemas").as_object();
	for (const std::string &reference : references) {
		CAPTURE(reference);
		REQUIRE(reference.starts_with("#/components/schemas/"));
		CHECK(schemas.contains(reference.substr(21)));
	}
	for (const auto &[name, schema] : schemas) {
		CAPTURE(name);
		CHECK(schema.is_object());
	}
}

TEST_CASE("an undocumented route shows: its schema does not parse, its parameters are printed")
{
	Routes routes;
	routes.push_back(
		{.method = Method::put,
		 .path = "/api/v1/x/{one}/y/{two}",
		 .access = Access::user,
		 .reads = Reads::json_body,
		 .documentation = {.tag = "Auth", .summary = "s", .request = "{no json", .query = {"q"}},
		 .handle = {}});
	const json::value document = json::parse(openapi(routes, {{"Error", R"({"type":"object"})"}}));
	const json::value &put = document.at("paths").at("/api/v1/x/{one}/y/{two}").at("put");
	CHECK(put.at("parameters").as_array().size() == 3);
	CHECK(put.at("parameters").at(1).at("name") == "two");
	CHECK(put.at("requestBody").at("content").at("application/json").at("schema").is_null());
	CHECK(put.at("responses").as_object().contains("403"));
	CHECK(put.at("security").as_array().size() == 2);
}
