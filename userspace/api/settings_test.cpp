// Performance mode, threat-intel settings and the refusals of cluster membership over their routes.
#include "api/route_bench.h"
#include "api/settings_records.h"

namespace neuwerk::api {

namespace {

constexpr std::string_view mode = "/api/v1/settings/performance-mode";
constexpr std::string_view intel = "/api/v1/settings/threat-intel";

struct Settings : RouteBench {
	Settings() : RouteBench(add_settings_routes) {}
};

struct Cluster : RouteBench {
	Cluster() : RouteBench(add_cluster_routes) {}
};

const json::value default_intel = json::parse(R"({
	"enabled": true, "alert_threshold": "high",
	"baseline_feeds": {"threatfox": {"enabled": true, "refresh_interval_secs": 3600},
			   "urlhaus": {"enabled": true, "refresh_interval_secs": 3600},
			   "spamhaus_drop": {"enabled": true, "refresh_interval_secs": 3600}},
	"remote_enrichment": {"enabled": false}, "source": null})");

} // namespace

TEST_CASE("performance mode is on and has no source until somebody sets it")
{
	Settings bench;
	CHECK(bench.get(mode).tree() == json::parse(R"({"enabled":true,"source":null})"));
	const Answer put = bench.send(Method::put, mode, R"({"enabled":false})");
	CHECK(put.status == 200);
	CHECK(put.tree() == json::parse(R"({"enabled":false,"source":"local"})"));
	CHECK(bench.get(mode).body == put.body);
	CHECK(!read_performance_mode(bench.store())->is_enabled);
	CHECK(bench.send(Method::put, mode, R"({"enabled":true,"unknown":[]})").status == 200);
	CHECK(read_performance_mode(bench.store())->is_enabled);
	CHECK(bench.store().get(performance_mode_key).value()->value == "1");
}

TEST_CASE("performance mode is one flag, and nothing else passes for it")
{
	Settings bench;
	check_refusals(bench, Method::put, mode,
		       {{"", 400, "invalid json: *"},
			{"[true]", 400, "invalid json: *"},
			{"{}", 400, "invalid json: *"},
			{R"({"enabled":null})", 400, "invalid json: *"},
			{R"({"enabled":"yes"})", 400, "invalid json: *"},
			{R"({"enabled":1})", 400, "invalid json: *"},
			{R"({"enabled":true,"enabled":false})", 400, "invalid json: *"}});
	CHECK(!read_performance_mode(bench.store())->is_set);
}

TEST_CASE("a damaged performance mode is an error, not the default")
{
	Settings bench;
	bench.put_record(performance_mode_key, "yes");
	CHECK(bench.get(mode).status == 500);
	CHECK(bench.get(mode).error() ==
	      "record settings/performance_mode/enabled: damaged: neither 0 nor 1");
}

TEST_CASE("threat-intel settings begin with every feed and no source")
{
	Settings bench;
	CHECK(bench.get(intel).tree() == default_intel);
}

TEST_CASE("a PUT of threat-intel settings changes the keys that it names")
{
	Settings bench;
	json::value expected = default_intel;
	expected.at("source") = "local";
	CHECK(bench.send(Method::put, intel, "{}").tree() == expected);
	expected.at("alert_threshold") = "critical";
	CHECK(bench.send(Method::put, intel, R"({"alert_threshold":"critical"})").tree() == expected);
	expected.at("enabled") = false;
	const auto last = bench.send(Method::put, intel,
				     R"({"enabled":false,"baseline_feeds":{"urlhaus":{"enabled":false}},)"
				     R"("remote_enrichment":{"enabled":true}})");
	CHECK(last.status == 200);
	CHECK(last.tree() == expected);
	CHECK(bench.get(intel).tree() == expected);
}

TEST_CASE("threat-intel settings refuse what is not a flag or a severity")
{
	Settings bench;
	check_refusals(
		bench, Method::put, intel,
		{{"", 400, "invalid json: *"},
		 {"[null,null]", 400, "invalid json: *"},
		 {R"({"enabled":"no"})", 400, "invalid json: *"},
		 {R"({"alert_threshold":"severe"})", 400,
		  "invalid json: alert_threshold: unknown value 'severe', expected one of low, medium, "
		  "high, critical"},
		 {R"({"alert_threshold":3})", 400, "invalid json: *"}});
	CHECK(bench.get(intel).tree() == default_intel);
}

TEST_CASE("a damaged record of threat-intel settings is an error that names it")
{
	Settings bench;
	bench.put_record(threat_intel_key, R"({"enabled":true})");
	CHECK(bench.get(intel).status == 500);
	CHECK(bench.get(intel).error().starts_with("record settings/threat_intel/config: damaged: "));
	CHECK(bench.send(Method::put, intel, R"({"enabled":true})").status == 500);
}

TEST_CASE("cluster membership needs a cluster, whatever else is wrong with the request")
{
	Cluster bench;
	const std::string_view words = "cluster membership requires cluster mode";
	CHECK(bench.get("/api/v1/cluster/members").status == 503);
	CHECK(bench.get("/api/v1/cluster/members").error() == words);
	check_refusals(bench, Method::put, "/api/v1/cluster/members/voters",
		       {{R"({"ids":["1"]})", 503, words}, {"not json", 503, words}, {"", 503, words}});
	check_refusals(bench, Method::post, "/api/v1/cluster/members/not-a-number/remove",
		       {{"{}", 503, words}, {"", 503, words}});
}

} // namespace neuwerk::api
