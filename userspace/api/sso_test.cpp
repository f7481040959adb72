// SSO providers over their routes, spec/http-api §5.14 and §6.
#include "api/one_answer_server.h"
#include "api/route_bench.h"
#include "api/sso_provider.h"
#include "base/text.h"

#include <thread>

namespace neuwerk::api {

namespace {

constexpr std::string_view all = "/api/v1/settings/sso/providers";
constexpr std::string_view nobody = "0f8fad5b-d9cb-469f-a165-70867728950e";

std::string body(json::object changes = {})
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
		const Answer answer = send(Method::post, all, body(changes));
		REQUIRE_MESSAGE(answer.status == 200, answer.body);
		return answer.tree().as_object();
	}
	// Path of a provider that create() answered.
	static std::string path(const json::object &provider)
	{
		return text(all, "/", std::string_view(provider.at("id").as_string()));
	}
	Answer patch(const json::object &provider, const json::object &changes)
	{
		return send(Method::put, path(provider), json::serialize(changes));
	}
};

const json::object defaults = json::parse(R"({
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
const json::object everything = json::parse(R"({
	"name": " Corp ", "kind": "generic-oidc", "enabled": false, "display_order": -7,
	"issuer_url": "https://idp.example/", "authorization_url": "https://idp.example/auth",
	"token_url": "https://idp.example/token", "userinfo_url": "http://[::1]:9/userinfo",
	"client_id": "c", "scopes": ["openid", "email", "openid"], "pkce_required": false,
	"subject_claim": "oid", "email_claim": "mail", "groups_claim": "groups", "default_role": "admin",
	"admin_subjects": ["a"], "admin_groups": ["Admins"], "admin_email_domains": ["Example.org"],
	"readonly_subjects": ["r"], "readonly_groups": ["g", "h"], "readonly_email_domains": ["e"],
	"allowed_email_domains": ["x", "y"], "session_ttl_secs": 2592000})")
					.as_object();

} // namespace

TEST_CASE("a new provider has the documented defaults and never shows its secret")
{
	Sso bench;
	json::object created = bench.create();
	CHECK(bench.get(Sso::path(created)).tree() == created);
	CHECK(bench.get(all).tree() == json::array{created});
	json::object expected = defaults;
	expected["id"] = created.at("id");
	CHECK(created == expected);
	CHECK(created.at("id").as_string().size() == 36);
}

TEST_CASE("what a client sets comes back unchanged")
{
	Sso bench;
	const json::object created = bench.create(everything);
	for (const auto &[key, value] : everything) {
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
		bench, Method::post, all,
		{{"", 400, "invalid json: *"},
		 {R"({"name":"x","kind":"google","client_secret":"s"})", 400, "invalid json: *"},
		 {R"({"name":"x","client_id":"c","client_secret":"s"})", 400, "invalid json: *"},
		 {R"({"kind":"google","client_id":"c","client_secret":"s"})", 400, "invalid json: *"},
		 {body({{"kind", "okta"}}), 400, "invalid json: kind: unknown value 'okta'*"},
		 {body({{"kind", "generic_oidc"}}), 400, "invalid json: kind: unknown value*"},
		 {body({{"default_role", "root"}}), 400, "invalid json: default_role: unknown value 'root'*"},
		 {body({{"enabled", "yes"}}), 400, "invalid json: *"},
		 {body({{"scopes", "openid"}}), 400, "invalid json: *"},
		 {body({{"scopes", json::array{1}}}), 400, "invalid json: *"},
		 {body({{"display_order", 2147483648}}), 400, "invalid json: display_order: *"},
		 {body({{"name", " "}, {"client_id", ""}}), 400, "provider name is required"},
		 {body({{"client_id", " "}, {"client_secret", ""}}), 400, "client_id is required"},
		 {body({{"client_secret", " "}, {"session_ttl_secs", 0}}), 400, "client_secret is required"},
		 {body({{"client_secret", nullptr}}), 400, "client_secret is required"},
		 {body({{"session_ttl_secs", 0}, {"issuer_url", "x"}}), 400, "session_ttl_secs must be >= 1"},
		 {body({{"session_ttl_secs", -1}}), 400, "session_ttl_secs must be >= 1"},
		 {body({{"session_ttl_secs", 2592001}}), 400, "session_ttl_secs must be <= 2592000"}});
	CHECK(bench.get(all).body == "[]");
}

TEST_CASE("every URL of a provider is absolute and safe to call")
{
	Sso bench;
	const json::object existing = bench.create();
	for (const std::string_view field :
	     {"issuer_url", "authorization_url", "token_url", "userinfo_url"}) {
		const std::string relative = text(field, " must be an absolute url: *");
		const std::string unsafe = text(field, " must use https (or loopback http)");
		for (const auto &[method, path] :
		     {std::pair{Method::post, std::string(all)}, std::pair{Method::put, Sso::path(existing)}})
			check_refusals(bench, method, path,
				       {{body({{field, "idp.example/x"}}), 400, relative},
					{body({{field, "https://"}}), 400, relative},
					{body({{field, "http://idp.example"}}), 400, unsafe},
					{body({{field, "ftp://localhost"}}), 400, unsafe}});
		for (const std::string_view url : {"https://idp.example", "http://localhost:1/x",
						   "http://127.9.9.9", "http://[::1]:8080/"})
			CHECK(bench.patch(existing, {{field, url}}).tree().at(field) == json::value(url));
	}
}

TEST_CASE("an update changes the keys that it names and the time")
{
	Sso bench;
	json::object expected = bench.create(everything);
	bench.now_ms += 1000;
	expected["updated_at"] = "2027-01-15T08:00:01.123Z";
	CHECK(bench.patch(expected, {}).tree() == expected);
	CHECK(bench.patch(expected, {{"kind", "github"}, {"enabled", nullptr}}).tree() == expected);
	for (const auto &[key, value] : defaults) {
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
	json::object expected = bench.create(everything);
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
	const std::string unknown = text(all, "/", nobody), wrong = text(all, "/not-a-uuid");
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
	CHECK(bench.get(text(all, "/%7B", id, "%7D")).status == 200);
}

TEST_CASE("deleting a provider succeeds whether it exists or not")
{
	Sso bench;
	const json::object created = bench.create();
	for (int time = 0; time < 2; ++time)
		CHECK(bench.send(Method::erase, Sso::path(created)).status == 204);
	CHECK(bench.get(all).body == "[]");
}

TEST_CASE("providers are ordered by number, then by name in any case; the login page sees the enabled ones")
{
	Sso bench;
	bench.create({{"name", "b"}});
	bench.create({{"name", "C"}, {"enabled", false}});
	bench.create({{"name", "A"}, {"kind", "generic-oidc"}});
	bench.create({{"name", "z"}, {"display_order", -1}});
	std::string names;
	const json::value list = bench.get(all).tree();
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
				failures[client] += bench.send(Method::post, all, body()).status != 200;
		});
	for (std::thread &client : clients)
		client.join();
	CHECK(failures == std::vector<int>(16, 0));
	CHECK(bench.get(all).tree().as_array().size() == 80);
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

TEST_CASE("the test of a provider asks its authorization endpoint")
{
	Sso bench;
	struct Row {
		std::string answer;
		bool is_ok;
		std::string_view details; // ends with '*': the beginning
	};
	for (const Row &row : {Row{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", true,
				   "provider authorization endpoint reachable"},
			       Row{"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n", true,
				   "provider authorization endpoint reachable"},
			       Row{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false,
				   "authorization endpoint returned 404"},
			       Row{"", false, "provider request failed: *"}}) {
		const OneAnswerServer server(row.answer);
		const json::object provider = bench.create({{"authorization_url", server.url()}});
		const Answer answer = bench.send(Method::post, Sso::path(provider) + "/test");
		CHECK(answer.status == 200);
		CHECK(answer.tree().at("ok") == row.is_ok);
		const std::string details(answer.tree().at("details").as_string());
		if (row.details.ends_with('*'))
			CHECK(details.starts_with(row.details.substr(0, row.details.size() - 1)));
		else
			CHECK(details == row.details);
	}
}

TEST_CASE("the test of a generic provider needs its three endpoints, in order")
{
	Sso bench;
	const json::object provider = bench.create({{"kind", "generic-oidc"}});
	for (const std::string_view field : {"authorization_url", "token_url", "userinfo_url"}) {
		check_refusals(bench, Method::post, Sso::path(provider) + "/test",
			       {{"", 400, text(field, " is required")}});
		REQUIRE(bench.patch(provider, {{field, "http://127.0.0.1:1/"}}).status == 200);
	}
	CHECK(bench.send(Method::post, Sso::path(provider) + "/test").tree().at("ok") == false);
}

TEST_CASE("the well-known providers have endpoints of their own")
{
	CHECK(authorization_url_of({.kind = "google"}) == "https://accounts.google.com/o/oauth2/v2/auth");
	CHECK(authorization_url_of({.kind = "github"}) == "https://github.com/login/oauth/authorize");
	CHECK(authorization_url_of({.kind = "github", .authorization_url = " https://x "}) == "https://x");
}

TEST_CASE("a login says that there is no engine, after what is wrong with the request")
{
	Sso bench;
	const auto start = [&](std::string_view id) {
		return bench.get(text("/api/v1/auth/sso/", id, "/start?next=/"));
	};
	const json::object provider = bench.create();
	const std::string id(provider.at("id").as_string());
	CHECK(start("x").status == 400);
	CHECK(start("x").error() == "invalid provider id");
	CHECK(start(nobody).status == 404);
	CHECK(start(nobody).error() == "sso provider not found");
	CHECK(start(id).status == 503);
	CHECK(start(id).error() == "sso login has no engine in this version: log in with a token");
	REQUIRE(bench.patch(provider, {{"enabled", false}}).status == 200);
	CHECK(start(id).status == 400);
	CHECK(start(id).error() == "sso provider is disabled");
}

TEST_CASE("a callback always takes the flow's cookie away")
{
	Sso bench;
	struct Row {
		std::string_view id, query;
		int status;
		std::string_view message;
	};
	for (const Row &row :
	     {Row{"x", "code=1&state=2", 400, "invalid provider id"},
	      Row{nobody, "error=access_denied&error_description=not+today", 401,
		  "sso provider denied login: access_denied not today"},
	      Row{nobody, "error=access_denied", 401, "sso provider denied login: access_denied"},
	      Row{nobody, "", 400, "missing code"}, Row{nobody, "code=1", 400, "missing state"},
	      Row{nobody, "code=1&state=2", 503,
		  "sso login has no engine in this version: log in with a token"}}) {
		const Answer answer = bench.get(text("/api/v1/auth/sso/", row.id, "/callback?", row.query));
		CHECK(answer.status == row.status);
		CHECK(answer.error() == row.message);
		CHECK(answer.header("Set-Cookie") ==
		      "neuwerk_sso=; Max-Age=0; HttpOnly; Secure; SameSite=Lax; "
		      "Path=/api/v1/auth/sso/");
	}
}

TEST_CASE("when there are too many providers, a new one is refused and says what to do")
{
	Sso bench;
	state::Write many;
	for (std::size_t number = 0; number < sso_provider_limit_count; ++number)
		many.operations.push_back(state::put(sso_provider_key(text(number)), "x"));
	REQUIRE(bench.store().write(std::move(many)));
	check_refusals(
		bench, Method::post, all,
		{{body(), 507, "sso providers: there are 256 already, the limit is 256: delete some"}});
}

TEST_CASE("a damaged provider is an error that names its record")
{
	Sso bench;
	const std::string key = text(sso_provider_prefix, nobody);
	bench.put_record(key, "{}");
	const std::string words = text("record ", key, ": damaged: ");
	CHECK(bench.get(all).status == 500);
	CHECK(bench.get(all).error().starts_with(words));
	CHECK(bench.send(Method::put, text(all, "/", nobody), "{}").error().starts_with(words));
}

} // namespace neuwerk::api
