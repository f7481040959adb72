// SSO providers that are created, listed and kept, spec/http-api §5.14.
#include "api/sso_bench.h"
#include "api/sso_provider.h"

#include <thread>

namespace neuwerk::api {

TEST_CASE("a new provider has the documented defaults and never shows its secret")
{
	Sso bench;
	json::object created = bench.create();
	CHECK(bench.get(Sso::path(created)).tree() == created);
	CHECK(bench.get(all_providers).tree() == json::array{created});
	json::object expected = default_provider;
	expected["id"] = created.at("id");
	CHECK(created == expected);
	CHECK(created.at("id").as_string().size() == 36);
}

TEST_CASE("what a client sets comes back unchanged")
{
	Sso bench;
	const json::object created = bench.create(full_provider);
	for (const auto &[key, value] : full_provider) {
		CAPTURE(std::string(key));
		CHECK(created.at(key) == value);
	}
	CHECK(bench.get(Sso::path(created)).tree() == created);
}

TEST_CASE("blank optional texts of a new provider are none, and null is absent")
{
	Sso bench;
	const json::object created = bench.create({{"issuer_url", " "},
						   {"email_claim", ""},
						   {"subject_claim", " "},
						   {"enabled", nullptr},
						   {"default_role", nullptr},
						   {"scopes", json::array{"openid", " ", ""}}});
	CHECK(created.at("issuer_url").is_null());
	CHECK(created.at("email_claim").is_null());
	CHECK(created.at("subject_claim") == "sub");
	CHECK(created.at("enabled") == true);
	CHECK(created.at("default_role") == "readonly");
	CHECK(created.at("scopes") == json::array{"openid"});
}

TEST_CASE("the client secret lies sealed in the store")
{
	Sso bench;
	const json::object created = bench.create();
	CHECK(bench.everything_stored().find("very secret") == std::string::npos);
	const auto provider = find_sso_provider(bench.store(), std::string(created.at("id").as_string()));
	REQUIRE(provider);
	CHECK(crypto::unseal(bench.sealing, provider->client_secret_envelope) == "very secret");
	REQUIRE(bench.patch(created, {{"client_secret", "another"}}).status == 200);
	CHECK(crypto::unseal(bench.sealing,
			     find_sso_provider(bench.store(), provider->id)->client_secret_envelope) ==
	      "another");
}

TEST_CASE("what is wrong with a new provider is said in the documented words and order")
{
	Sso bench;
	check_refusals(
		bench, Method::post, all_providers,
		{{"", 400, "invalid json: *"},
		 {R"({"name":"x","kind":"google","client_secret":"s"})", 400, "invalid json: *"},
		 {R"({"name":"x","client_id":"c","client_secret":"s"})", 400, "invalid json: *"},
		 {R"({"kind":"google","client_id":"c","client_secret":"s"})", 400, "invalid json: *"},
		 {provider_body({{"kind", "okta"}}), 400, "invalid json: kind: unknown value 'okta'*"},
		 {provider_body({{"kind", "generic_oidc"}}), 400, "invalid json: kind: unknown value*"},
		 {provider_body({{"default_role", "root"}}), 400,
		  "invalid json: default_role: unknown value 'root'*"},
		 {provider_body({{"enabled", "yes"}}), 400, "invalid json: *"},
		 {provider_body({{"scopes", "openid"}}), 400, "invalid json: *"},
		 {provider_body({{"scopes", json::array{1}}}), 400, "invalid json: *"},
		 {provider_body({{"display_order", 2147483648}}), 400, "invalid json: display_order: *"},
		 {provider_body({{"name", " "}, {"client_id", ""}}), 400, "provider name is required"},
		 {provider_body({{"client_id", " "}, {"client_secret", ""}}), 400, "client_id is required"},
		 {provider_body({{"client_secret", " "}, {"session_ttl_secs", 0}}), 400,
		  "client_secret is required"},
		 {provider_body({{"client_secret", nullptr}}), 400, "client_secret is required"},
		 {provider_body({{"session_ttl_secs", 0}, {"issuer_url", "x"}}), 400,
		  "session_ttl_secs must be >= 1"},
		 {provider_body({{"session_ttl_secs", -1}}), 400, "session_ttl_secs must be >= 1"},
		 {provider_body({{"session_ttl_secs", 2592001}}), 400,
		  "session_ttl_secs must be <= 2592000"}});
	CHECK(bench.get(all_providers).body == "[]");
}

TEST_CASE("every URL of a provider is absolute and safe to call")
{
	Sso bench;
	const json::object existing = bench.create();
	for (const std::string_view field :
	     {"issuer_url", "authorization_url", "token_url", "userinfo_url"}) {
		const std::string relative = text(field, " must be an absolute url: *");
		const std::string unsafe = text(field, " must use https (or loopback http)");
		for (const auto &[method, path] : {std::pair{Method::post, std::string(all_providers)},
						   std::pair{Method::put, Sso::path(existing)}})
			check_refusals(bench, method, path,
				       {{provider_body({{field, "idp.example/x"}}), 400, relative},
					{provider_body({{field, "https://"}}), 400, relative},
					{provider_body({{field, "http://idp.example"}}), 400, unsafe},
					{provider_body({{field, "ftp://localhost"}}), 400, unsafe}});
		for (const std::string_view url : {"https://idp.example", "http://localhost:1/x",
						   "http://127.9.9.9", "http://[::1]:8080/"})
			CHECK(bench.patch(existing, {{field, url}}).tree().at(field) == json::value(url));
	}
}

TEST_CASE("providers are ordered by number, then by name in any case; the login page sees the enabled ones")
{
	Sso bench;
	bench.create({{"name", "b"}});
	bench.create({{"name", "C"}, {"enabled", false}});
	bench.create({{"name", "A"}, {"kind", "generic-oidc"}});
	bench.create({{"name", "z"}, {"display_order", -1}});
	std::string names;
	const json::value list = bench.get(all_providers).tree();
	for (const json::value &provider : list.as_array())
		names += provider.at("name").as_string();
	CHECK(names == "zAbC");
	const json::array offered = bench.get("/api/v1/auth/sso/providers").tree().as_array();
	REQUIRE(offered.size() == 3);
	CHECK(offered.at(1).as_object().size() == 3);
	CHECK(offered.at(0).at("name") == "z");
	CHECK(offered.at(1).at("name") == "A");
	CHECK(offered.at(1).at("kind") == "generic-oidc");
	CHECK(offered.at(1).at("id").as_string().size() == 36);
	CHECK(offered.at(2).at("name") == "b");
}

TEST_CASE("16 clients that create 5 providers each leave 80")
{
	Sso bench;
	std::vector<int> failures(16, 0);
	std::vector<std::thread> clients;
	for (int client = 0; client < 16; ++client)
		clients.emplace_back([&, client] {
			for (int number = 0; number < 5; ++number)
				failures[client] +=
					bench.send(Method::post, all_providers, provider_body()).status !=
					200;
		});
	for (std::thread &client : clients)
		client.join();
	CHECK(failures == std::vector<int>(16, 0));
	CHECK(bench.get(all_providers).tree().as_array().size() == 80);
}

TEST_CASE("when there are too many providers, a new one is refused and says what to do")
{
	Sso bench;
	state::Write many;
	for (std::size_t number = 0; number < sso_provider_limit_count; ++number)
		many.operations.push_back(state::put(sso_provider_key(text(number)), "x"));
	REQUIRE(bench.store().write(std::move(many)));
	check_refusals(bench, Method::post, all_providers,
		       {{provider_body(), 507,
			 "sso providers: there are 256 already, the limit is 256: delete some"}});
}

TEST_CASE("a damaged provider is an error that names its record")
{
	Sso bench;
	const std::string key = text(sso_provider_prefix, nobody);
	bench.put_record(key, "{}");
	const std::string words = text("record ", key, ": damaged: ");
	CHECK(bench.get(all_providers).status == 500);
	CHECK(bench.get(all_providers).error().starts_with(words));
	CHECK(bench.send(Method::put, text(all_providers, "/", nobody), "{}").error().starts_with(words));
}

} // namespace neuwerk::api
