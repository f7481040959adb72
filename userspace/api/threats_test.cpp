// Threat findings, silences and feeds over their routes, spec/http-api §5.10.
#include "api/records.h"
#include "api/route_bench.h"
#include "api/settings_records.h"
#include "api/threat_silence.h"
#include "base/text.h"

#include <thread>

namespace neuwerk::api {

namespace {

constexpr std::string_view silences = "/api/v1/threats/silences";
constexpr std::string_view findings = "/api/v1/threats/findings";

struct Threats : RouteBench {
	Threats() : RouteBench(add_threats_routes) {}
	void disable()
	{
		put_record(threat_intel_key, R"({"enabled":false,"alert_threshold":"high"})");
	}
};

} // namespace

TEST_CASE("a silence is answered, listed in order and lifted")
{
	Threats bench;
	CHECK(bench.get(silences).body == R"({"items":[]})");
	const auto first = bench.send(Method::post, silences,
				      R"({"kind":"exact","indicator_type":"ip","value":" 192.0.2.7 "})");
	REQUIRE(first.status == 200);
	json::object entry = first.tree().as_object();
	const std::string id(entry.at("id").as_string());
	CHECK(id.size() == 36);
	CHECK(entry == json::parse(text(R"({"id":")", id,
					R"(","kind":"exact","indicator_type":"ip",)"
					R"("value":"192.0.2.7","reason":null,"created_at":1800000000,)"
					R"("created_by":"tester"})")));
	const auto second = bench.send(Method::post, silences,
				       R"({"kind":"hostname_regex","indicator_type":"hostname",)"
				       R"("value":" ^cdn\\.","reason":" known "})");
	REQUIRE(second.status == 200);
	CHECK(bench.get(silences).body == text(R"({"items":[)", first.body, ",", second.body, "]}"));

	CHECK(bench.send(Method::erase, text(silences, "/", id)).status == 204);
	CHECK(bench.get(silences).body == text(R"({"items":[)", second.body, "]}"));
	const auto again = bench.send(Method::erase, text(silences, "/", id));
	CHECK(again.status == 404);
	CHECK(again.error() == "threat silence not found");
	CHECK(bench.send(Method::erase, text(silences, "/not-a-uuid")).status == 404);
}

TEST_CASE("a silence is stored in its normal form")
{
	const auto host = read_silence(
		R"({"kind":"exact","indicator_type":"hostname","value":" .Evil.Example.. ","reason":" "})");
	REQUIRE(host);
	CHECK(host->value == "evil.example");
	CHECK(!host->reason);
	const auto pattern = read_silence(
		R"({"kind":"hostname_regex","indicator_type":"hostname","value":" ^A ","reason":" why "})");
	REQUIRE(pattern);
	CHECK(pattern->value == "^A");
	CHECK(!pattern->indicator_type);
	CHECK(pattern->reason == "why");
}

TEST_CASE("the same silence may be made twice")
{
	Threats bench;
	const std::string_view body = R"({"kind":"exact","indicator_type":"hostname","value":"a.example"})";
	CHECK(bench.send(Method::post, silences, body).status == 200);
	CHECK(bench.send(Method::post, silences, body).status == 200);
	CHECK(bench.get(silences).tree().at("items").as_array().size() == 2);
}

TEST_CASE("what is wrong with a silence is said in the documented words")
{
	Threats bench;
	check_refusals(
		bench, Method::post, silences,
		{{"", 400, "invalid json: *"},
		 {"{}", 400, "invalid json: *"},
		 {R"({"kind":"prefix","value":"x"})", 400, "invalid json: kind: unknown value 'prefix'*"},
		 {R"({"kind":"exact","indicator_type":"url","value":"x"})", 400,
		  "invalid json: indicator_type: unknown value 'url'*"},
		 {R"({"kind":"exact","indicator_type":"ip"})", 400, "invalid json: *"},
		 {R"({"kind":"exact","value":"x"})", 400, "exact threat silence requires indicator_type"},
		 {R"({"kind":"exact","indicator_type":null,"value":"x"})", 400,
		  "exact threat silence requires indicator_type"},
		 {R"({"kind":"exact","indicator_type":"hostname","value":" . "})", 400,
		  "hostname silence value cannot be empty"},
		 {R"({"kind":"exact","indicator_type":"ip","value":"2001:db8::1"})", 400,
		  "invalid ipv4 silence value: *"},
		 {R"({"kind":"exact","indicator_type":"ip","value":""})", 400,
		  "invalid ipv4 silence value: *"},
		 {R"({"kind":"hostname_regex","indicator_type":"ip","value":""})", 400,
		  "hostname_regex threat silence cannot target ip indicators"},
		 {R"({"kind":"hostname_regex","value":" "})", 400,
		  "hostname regex silence value cannot be empty"},
		 {R"({"kind":"hostname_regex","value":"("})", 400, "invalid hostname regex silence: *"}});
	CHECK(bench.get(silences).body == no_silences);
}

TEST_CASE("a list of silences that is full says how to go on")
{
	Threats bench;
	const std::string reason(silences_limit_bytes / 2, 'r');
	const std::string body = text(
		R"({"kind":"exact","indicator_type":"ip","value":"192.0.2.1","reason":")", reason, "\"}");
	CHECK(bench.send(Method::post, silences, body).status == 200);
	const Answer refused = bench.send(Method::post, silences, body);
	CHECK(refused.status == 507);
	CHECK(refused.error() == "threat silences: the list would exceed 1048576 bytes: delete some, or "
				 "silence with one hostname_regex");
	CHECK(bench.get(silences).tree().at("items").as_array().size() == 1);
}

TEST_CASE("16 clients that silence 5 indicators each leave 80")
{
	Threats bench;
	std::vector<int> failures(16, 0);
	std::vector<std::thread> clients;
	for (int client = 0; client < 16; ++client)
		clients.emplace_back([&, client] {
			for (int number = 0; number < 5; ++number)
				failures[client] +=
					bench.send(Method::post, silences,
						   text(R"({"kind":"exact","indicator_type":"ip","value":"10.0.)",
							client, ".", number, "\"}"))
						.status != 200;
		});
	for (std::thread &client : clients)
		client.join();
	CHECK(failures == std::vector<int>(16, 0));
	CHECK(bench.get(silences).tree().at("items").as_array().size() == 80);
}

TEST_CASE("two lists of silences that do not know of each other lose nothing")
{
	Threats bench; // two nodes of a cluster: no lock of one process helps
	Document one(bench.store(), "x"), other(bench.store(), "x");
	std::vector<int> failures(8, 0);
	std::vector<std::thread> clients;
	for (int client = 0; client < 8; ++client)
		clients.emplace_back([&, client] {
			for (int number = 0; number < 10; ++number)
				failures[client] +=
					!(client % 2 ? one : other).change("test", [](const auto &list) {
						return append_silence(list, "{}");
					});
		});
	for (std::thread &client : clients)
		client.join();
	CHECK(failures == std::vector<int>(8, 0));
	CHECK(json::parse(bench.store().get("x").value()->value).at("items").as_array().size() == 80);
}

TEST_CASE("a writer that always loses gives up with a conflict")
{
	Threats bench;
	int attempts = 0;
	const auto result = rewrite(bench.store(), "x", "test", [&](const auto &) -> Result<std::string> {
		bench.put_record("x", text(++attempts)); // somebody else is faster
		return "mine";
	});
	REQUIRE(!result);
	CHECK(result.error().kind == ErrorKind::conflict);
	CHECK(attempts == rewrite_attempt_limit_count);
	CHECK(bench.store().get("x").value()->value == text(attempts));
}

TEST_CASE("a damaged list of silences is an error, and is not overwritten")
{
	Threats bench;
	bench.put_record(threat_silences_key, "[]");
	const Answer answer = bench.send(Method::post, silences,
					 R"({"kind":"exact","indicator_type":"ip","value":"192.0.2.1"})");
	CHECK(answer.status == 500);
	CHECK(answer.error() == "record settings/threat_intel/silences: damaged: no list of items");
	CHECK(bench.store().get(threat_silences_key).value()->value == "[]");
}

TEST_CASE("findings say that no engine looked, instead of looking complete")
{
	Threats bench;
	for (const std::string_view path : {"/api/v1/threats/findings", "/api/v1/threats/findings/local"}) {
		const Answer answer = bench.get(path);
		REQUIRE(answer.status == 200);
		const json::value envelope = answer.tree();
		CHECK(envelope.at("items").as_array().empty());
		CHECK(envelope.at("partial") == true);
		CHECK(envelope.at("nodes_queried") == 1);
		CHECK(envelope.at("nodes_responded") == 0);
		CHECK(envelope.at("disabled") == false);
		REQUIRE(envelope.at("node_errors").as_array().size() == 1);
		CHECK(envelope.at("node_errors").at(0).at("error") ==
		      "threat matching has no engine in this version: nothing is compared with the feeds");
	}
}

TEST_CASE("findings while threat intelligence is disabled are an empty envelope")
{
	Threats bench;
	bench.disable();
	for (const std::string_view query : {"", "?severity=nonsense&limit=x"}) {
		const Answer answer = bench.get(text(findings, query));
		CHECK(answer.status == 200);
		CHECK(answer.tree() ==
		      json::parse(R"({"items":[],"partial":false,"node_errors":[],"nodes_queried":0,)"
				  R"("nodes_responded":0,"disabled":true})"));
	}
}

TEST_CASE("a query of findings may repeat keys and leave them blank")
{
	Threats bench;
	CHECK(bench.get(text(findings,
			     "?severity=low&severity=HIGH&indicator_type=&feed=nobody&alertable=true"
			     "&alertable_only=false&since=1&until=2&limit=1000&match_source=stream"
			     "&observation_layer=l4&source_group=x"))
		      .status == 200);
}

TEST_CASE("a query of findings that makes no sense names the parameter and the value")
{
	Threats bench;
	for (const std::string_view parameter :
	     {"indicator_type", "severity", "observation_layer", "match_source", "alertable_only",
	      "alertable", "since", "until", "limit"}) {
		const Answer answer = bench.get(text(findings, "?", parameter, "=1x"));
		CHECK(answer.status == 400);
		CHECK(answer.error() == text("invalid ", parameter, " value: 1x"));
	}
	CHECK(bench.get(text(findings, "?severity=low&severity=x")).status == 400);
}

TEST_CASE("the feeds were never read")
{
	Threats bench;
	const auto feed = [](std::string_view name) {
		return text(R"({"feed":")", name,
			    R"(","enabled":true,"indicator_counts":{"hostname":0,"ip":0}})");
	};
	const auto expected = [&](std::string_view disabled) {
		return json::parse(text(R"({"snapshot_version":0,"feeds":[)", feed("threatfox"), ",",
					feed("urlhaus"), ",", feed("spamhaus_drop"), R"(],"disabled":)",
					disabled, "}"));
	};
	CHECK(bench.get("/api/v1/threats/feeds/status").tree() == expected("false"));
	bench.disable();
	CHECK(bench.get("/api/v1/threats/feeds/status").tree() == expected("true"));
}

} // namespace neuwerk::api
