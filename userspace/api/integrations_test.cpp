// Kubernetes integrations over their routes, spec/http-api §5.5.
#include "api/integration_record.h"
#include "api/route_bench.h"
#include "base/text.h"

#include <thread>

namespace neuwerk::api {

namespace {

constexpr std::string_view all = "/api/v1/integrations";
constexpr std::string_view prod = "/api/v1/integrations/prod-k8s";

std::string body(json::object changes = {})
{
	json::object object{{"name", "prod-k8s"},
			    {"kind", "kubernetes"},
			    {"api_server_url", "https://10.0.0.10:6443"},
			    {"ca_cert_pem", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"},
			    {"service_account_token", "secret-token"}};
	for (const auto &[key, value] : changes)
		object[key] = value;
	return json::serialize(object);
}

struct Integrations : RouteBench {
	Integrations() : RouteBench(add_integrations_routes) {}
};

} // namespace

TEST_CASE("an integration that was created is answered, listed and found, without its token")
{
	Integrations bench;
	const Answer created = bench.send(Method::post, all, body());
	REQUIRE(created.status == 200);
	const json::object view = created.tree().as_object();
	CHECK(view.size() == 8);
	CHECK(view.at("id").as_string().size() == 36);
	CHECK(view.at("created_at") == "2027-01-15T08:00:00.123Z");
	CHECK(view.at("name") == "prod-k8s");
	CHECK(view.at("kind") == "kubernetes");
	CHECK(view.at("api_server_url") == "https://10.0.0.10:6443");
	CHECK(view.at("auth_type") == "service_account_token");
	CHECK(view.at("token_configured") == true);
	CHECK(bench.get(prod).body == created.body);
	CHECK(bench.get(all).body == "[" + created.body + "]");
	CHECK(created.body.find("secret-token") == std::string::npos);
}

TEST_CASE("before the first integration the list is an empty array")
{
	Integrations bench;
	CHECK(bench.get(all).body == "[]");
}

TEST_CASE("the token lies sealed in the store and opens with the key of the appliance")
{
	Integrations bench;
	REQUIRE(bench.send(Method::post, all, body({{"service_account_token", " secret-token\n"}})).status ==
		200);
	CHECK(bench.everything_stored().find("secret-token") == std::string::npos);
	const auto found = find_integration(bench.store(), "prod-k8s");
	REQUIRE(found);
	CHECK(crypto::unseal(bench.sealing, found->integration.token_envelope) == "secret-token");
}

TEST_CASE("URL and PEM come back as they were sent, blanks included")
{
	Integrations bench;
	const std::string url = " https://10.0.0.10:6443 ", pem = "\n dummy pem\n\n";
	const auto created =
		bench.send(Method::post, all, body({{"api_server_url", url}, {"ca_cert_pem", pem}}));
	REQUIRE(created.status == 200);
	CHECK(created.tree().at("api_server_url") == json::value(url));
	CHECK(created.tree().at("ca_cert_pem") == json::value(pem));
}

TEST_CASE("a name is found without regard to case and surrounding blanks")
{
	Integrations bench;
	REQUIRE(bench.send(Method::post, all, body({{"name", " Prod/K8s "}})).status == 200);
	const auto found = bench.get("/api/v1/integrations/%20pROD%2Fk8S");
	REQUIRE(found.status == 200);
	CHECK(found.tree().at("name") == "Prod/K8s");
}

TEST_CASE("the list is ordered by creation, also within one second")
{
	Integrations bench;
	for (const std::string_view name : {"b", "c", "a"}) {
		REQUIRE(bench.send(Method::post, all, body({{"name", name}})).status == 200);
		bench.now_ms += 7; // .123, .13, .137: as texts they would sort otherwise
	}
	const json::value list = bench.get(all).tree();
	REQUIRE(list.as_array().size() == 3);
	CHECK(list.at(0).at("name") == "b");
	CHECK(list.at(1).at("name") == "c");
	CHECK(list.at(2).at("name") == "a");
}

TEST_CASE("what is wrong with a new integration is said in the documented words and order")
{
	Integrations bench;
	const std::string https = "api_server_url must use https (http is allowed only for loopback test "
				  "endpoints)";
	check_refusals(
		bench, Method::post, all,
		{{"", 400, "invalid json: *"},
		 {"[]", 400, "invalid json: *"},
		 {R"({"kind":"kubernetes"})", 400, "invalid json: *"},
		 {body({{"name", 7}}), 400, "invalid json: *"},
		 {body({{"service_account_token", nullptr}}), 400, "invalid json: *"},
		 {body({{"kind", "nomad"}, {"name", ""}}), 400, "kind must be kubernetes"},
		 {body({{"name", " "}, {"api_server_url", ""}}), 400, "name is required"},
		 {body({{"api_server_url", " "}, {"ca_cert_pem", ""}}), 400, "api_server_url is required"},
		 {body({{"api_server_url", "10.0.0.10"}}), 400,
		  "api_server_url must be a valid absolute URL"},
		 {body({{"api_server_url", "https://a b/"}}), 400,
		  "api_server_url must be a valid absolute URL"},
		 {body({{"api_server_url", "mailto:x@example.org"}}), 400,
		  "api_server_url must include a host"},
		 {body({{"api_server_url", "http://10.0.0.10"}}), 400, https},
		 {body({{"api_server_url", "ftp://127.0.0.1"}, {"ca_cert_pem", ""}}), 400, https},
		 {body({{"ca_cert_pem", "\n"}, {"service_account_token", ""}}), 400,
		  "ca_cert_pem is required"},
		 {body({{"service_account_token", " "}}), 400, "service_account_token is required"}});
	CHECK(bench.get(all).body == "[]");
}

TEST_CASE("plain http is fine towards this machine itself")
{
	Integrations bench;
	int number = 0;
	for (const std::string_view url : {"http://localhost:8001", "http://127.0.0.1", "http://127.9.9.9:1",
					   "http://[::1]:8001", "HTTPS://K8S"})
		CHECK(bench.send(Method::post, all,
				 body({{"name", text("k", ++number)}, {"api_server_url", url}}))
			      .status == 200);
}

TEST_CASE("a name is taken, whatever its case")
{
	Integrations bench;
	REQUIRE(bench.send(Method::post, all, body()).status == 200);
	check_refusals(bench, Method::post, all,
		       {{body({{"name", " PROD-k8s"}}), 409, "integration already exists"}});
	CHECK(bench.get(all).tree().as_array().size() == 1);
}

TEST_CASE("an update replaces address, CA and token, and nothing else")
{
	Integrations bench;
	const json::value before = bench.send(Method::post, all, body()).tree();
	bench.now_ms += 1000;
	const auto updated = bench.send(Method::put, "/api/v1/integrations/PROD-K8S",
					body({{"name", "other"},
					      {"kind", "nomad"},
					      {"api_server_url", "https://new"},
					      {"ca_cert_pem", "new pem"},
					      {"service_account_token", "new-token"}}));
	REQUIRE(updated.status == 200);
	json::object expected = before.as_object();
	expected["api_server_url"] = "https://new";
	expected["ca_cert_pem"] = "new pem";
	CHECK(updated.tree() == expected);
	CHECK(bench.get(prod).tree() == expected);
	const auto found = find_integration(bench.store(), "prod-k8s");
	REQUIRE(found);
	CHECK(crypto::unseal(bench.sealing, found->integration.token_envelope) == "new-token");
}

TEST_CASE("an update judges the body before it looks for the name")
{
	Integrations bench;
	check_refusals(bench, Method::put, "/api/v1/integrations/nobody",
		       {{"{}", 400, "invalid json: *"},
			{body({{"api_server_url", "x"}}), 400, "api_server_url must be a valid absolute URL"},
			{body({{"ca_cert_pem", ""}}), 400, "ca_cert_pem is required"},
			{body({{"service_account_token", ""}}), 400, "service_account_token is required"},
			{body(), 404, "integration not found"}});
}

TEST_CASE("what was deleted is gone, and its name is free again")
{
	Integrations bench;
	const json::value first = bench.send(Method::post, all, body()).tree();
	const Answer deleted = bench.send(Method::erase, prod);
	CHECK(deleted.status == 204);
	CHECK(deleted.body.empty());
	CHECK(bench.get(prod).error() == "integration not found");
	CHECK(bench.get(prod).status == 404);
	CHECK(bench.send(Method::erase, prod).status == 404);
	CHECK(bench.get(all).body == "[]");
	const Answer second = bench.send(Method::post, all, body());
	CHECK(second.status == 200);
	CHECK(second.tree().at("id") != first.at("id"));
}

TEST_CASE("16 clients that create 5 integrations each leave 80")
{
	Integrations bench;
	std::vector<int> failures(16, 0);
	std::vector<std::thread> clients;
	for (int client = 0; client < 16; ++client)
		clients.emplace_back([&, client] {
			for (int number = 0; number < 5; ++number)
				failures[client] += bench.send(Method::post, all,
							       body({{"name", text(client, "-", number)}}))
							    .status != 200;
		});
	for (std::thread &client : clients)
		client.join();
	CHECK(failures == std::vector<int>(16, 0));
	CHECK(bench.get(all).tree().as_array().size() == 80);
}

TEST_CASE("of 16 clients that create the same name one succeeds")
{
	Integrations bench;
	std::vector<int> statuses(16, 0);
	std::vector<std::thread> clients;
	for (int client = 0; client < 16; ++client)
		clients.emplace_back(
			[&, client] { statuses[client] = bench.send(Method::post, all, body()).status; });
	for (std::thread &client : clients)
		client.join();
	CHECK(std::ranges::count(statuses, 200) == 1);
	CHECK(std::ranges::count(statuses, 409) == 15);
	CHECK(bench.get(all).tree().as_array().size() == 1);
}

TEST_CASE("when there are too many integrations, a new one is refused and says what to do")
{
	Integrations bench;
	state::Write many;
	for (std::size_t number = 0; number < integration_limit_count; ++number)
		many.operations.push_back(state::put(integration_name_key(text(number)), "x"));
	REQUIRE(bench.store().write(std::move(many)));
	check_refusals(
		bench, Method::post, all,
		{{body(), 507, "integrations: there are 1024 already, the limit is 1024: delete some"}});
}

TEST_CASE("a damaged record is an error that names it, not a missing integration")
{
	Integrations bench;
	bench.put_record("integrations/item/x", "{");
	const Answer answer = bench.get(all);
	CHECK(answer.status == 500);
	CHECK(answer.error().starts_with("record integrations/item/x: damaged: "));
}

} // namespace neuwerk::api
