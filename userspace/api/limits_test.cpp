// The bounds are served as they are compiled in.
#include "api/route_bench.h"

using namespace neuwerk;
using namespace neuwerk::api;

TEST_CASE("the bounds of the server are served by name, with their unit")
{
	RouteBench bench(add_limits_routes);
	const Answer answer = bench.get("/api/v1/limits");
	REQUIRE(answer.status == 200);
	const json::value rows = answer.tree();
	std::uint64_t body_bytes = 0, policy_bytes = 0;
	for (const json::value &row : rows.as_array()) {
		CAPTURE(json::serialize(row));
		CHECK(row.at("value").to_number<std::uint64_t>() > 0);
		const std::string_view unit = row.at("unit").as_string();
		CHECK((unit == "bytes" || unit == "count" || unit == "seconds"));
		if (row.at("name") == "request_body")
			body_bytes = row.at("value").to_number<std::uint64_t>();
		if (row.at("name") == "policy_body")
			policy_bytes = row.at("value").to_number<std::uint64_t>();
	}
	CHECK(body_bytes == ServerLimits{}.body_bytes);
	CHECK(policy_bytes == 1 << 20); // as this bench is configured
}
