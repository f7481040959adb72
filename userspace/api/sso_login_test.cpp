// The test of an SSO provider, and the login that has no engine, spec/http-api §5.14 and §6.
#include "api/one_answer_server.h"
#include "api/sso_bench.h"
#include "api/sso_provider.h"

namespace neuwerk::api {

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

} // namespace neuwerk::api
