// SSO providers that are found, changed and deleted, spec/http-api §5.14.
#include "api/sso_bench.h"

#include <thread>

namespace neuwerk::api {

TEST_CASE("an update changes the keys that it names and the time")
{
	Sso bench;
	json::object expected = bench.create(full_provider);
	bench.now_ms += 1000;
	expected["updated_at"] = "2027-01-15T08:00:01.123Z";
	CHECK(bench.patch(expected, {}).tree() == expected);
	CHECK(bench.patch(expected, {{"kind", "github"}, {"enabled", nullptr}}).tree() == expected);
	for (const auto &[key, value] : default_provider) {
		if (key == "created_at" || key == "updated_at" || key == "kind" || value.is_null() ||
		    key == "client_secret_configured")
			continue;
		CAPTURE(std::string(key));
		expected[key] = value;
		CHECK(bench.patch(expected, {{key, value}}).tree() == expected);
	}
	CHECK(bench.get(Sso::path(expected)).tree() == expected);
}

TEST_CASE("an update with blank texts clears URLs and claims and keeps what is required")
{
	Sso bench;
	json::object expected = bench.create(full_provider);
	for (const std::string_view key : {"issuer_url", "authorization_url", "token_url", "userinfo_url",
					   "email_claim", "groups_claim"}) {
		expected[key] = nullptr;
		CHECK(bench.patch(expected, {{key, ""}}).tree() == expected);
	}
	for (const std::string_view key : {"name", "client_id", "client_secret", "subject_claim"})
		CHECK(bench.patch(expected, {{key, " "}}).tree() == expected);
	expected["scopes"] = json::array{"a", "b"};
	CHECK(bench.patch(expected, {{"scopes", json::array{" a ", "", "b"}}}).tree() == expected);
}

TEST_CASE("an update judges the values that would stand afterwards and then changes nothing")
{
	Sso bench;
	const json::object before = bench.create();
	check_refusals(bench, Method::put, Sso::path(before),
		       {{"", 400, "invalid json: *"},
			{"[]", 400, "invalid json: *"},
			{R"({"name":1})", 400, "invalid json: *"},
			{R"({"name":"new","default_role":""})", 400, "invalid json: default_role: *"},
			{R"({"name":"new","session_ttl_secs":0})", 400, "session_ttl_secs must be >= 1"},
			{R"({"name":"new","session_ttl_secs":2592001})", 400,
			 "session_ttl_secs must be <= 2592000"}});
	CHECK(bench.get(Sso::path(before)).tree() == before);
}

TEST_CASE("a provider that does not exist is told before the body is looked at")
{
	Sso bench;
	const std::string unknown = text(all_providers, "/", nobody),
			  wrong = text(all_providers, "/not-a-uuid");
	CHECK(bench.get(unknown).status == 404);
	CHECK(bench.get(unknown).error() == "sso provider not found");
	CHECK(bench.get(wrong).status == 400);
	CHECK(bench.get(wrong).error() == "invalid provider id");
	check_refusals(bench, Method::put, unknown, {{"not json", 404, "sso provider not found"}});
	check_refusals(bench, Method::put, wrong, {{"not json", 400, "invalid provider id"}});
	check_refusals(bench, Method::erase, wrong, {{"", 400, "invalid provider id"}});
	check_refusals(bench, Method::post, text(wrong, "/test"), {{"", 400, "invalid provider id"}});
	check_refusals(bench, Method::post, text(unknown, "/test"), {{"", 404, "sso provider not found"}});
}

TEST_CASE("an id is found in every common form of a UUID")
{
	Sso bench;
	const json::object created = bench.create();
	std::string id(created.at("id").as_string());
	std::erase(id, '-');
	CHECK(bench.get(text(all_providers, "/%7B", id, "%7D")).status == 200);
}

TEST_CASE("deleting a provider succeeds whether it exists or not")
{
	Sso bench;
	const json::object created = bench.create();
	for (int time = 0; time < 2; ++time)
		CHECK(bench.send(Method::erase, Sso::path(created)).status == 204);
	CHECK(bench.get(all_providers).body == "[]");
}

TEST_CASE("8 clients that change different keys of one provider lose nothing")
{
	Sso bench;
	const json::object created = bench.create();
	const char *keys[] = {"scopes",
			      "admin_subjects",
			      "admin_groups",
			      "admin_email_domains",
			      "readonly_subjects",
			      "readonly_groups",
			      "readonly_email_domains",
			      "allowed_email_domains"};
	std::vector<int> failures(std::size(keys), 0);
	std::vector<std::thread> clients;
	for (std::size_t client = 0; client < std::size(keys); ++client)
		clients.emplace_back([&, client] {
			for (const std::string_view item : {"1", "2", "3", "4", "5"})
				failures[client] +=
					bench.patch(created, {{keys[client], json::array{item}}}).status !=
					200;
		});
	for (std::thread &client : clients)
		client.join();
	CHECK(failures == std::vector<int>(std::size(keys), 0));
	const json::value after = bench.get(Sso::path(created)).tree();
	for (const char *key : keys)
		CHECK(after.at(key) == json::array{"5"});
}

} // namespace neuwerk::api
