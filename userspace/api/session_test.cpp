// Login, logout and whoami as browsers and scripts use them (spec/http-api §5.2), and the keys behind them.
#include "api/handler_bench.h"

#include "base/text.h"

using namespace neuwerk;
using namespace neuwerk::api;

namespace json = boost::json;

namespace {

constexpr std::string_view login_path = "/api/v1/auth/token-login";

std::string cookie_of(const Response &response)
{
	for (const auto &[key, value] : response.headers)
		if (key == "set-cookie")
			return value;
	return "";
}

struct Session : HandlerBench {
	Session() : HandlerBench(add_session_routes) {}

	std::string mint(const std::vector<std::string> &roles = {})
	{
		return identity->mint({.sub = "alice", .roles = roles}).value();
	}
	Response log_in(std::string_view token)
	{
		return call(Method::post, login_path, json::serialize(json::object{{"token", token}}));
	}
};

struct Keys : HandlerBench {
	Keys() : HandlerBench(add_keys_routes) {}
};

} // namespace

TEST_CASE("a good token comes back as a cookie, with the user that it names")
{
	Session session;
	const std::string token = session.mint({"admin"});
	for (const std::string &written :
	     {token, "  " + token + "\n", "Bearer " + token, "bearer  " + token, " Bearer " + token}) {
		CAPTURE(written);
		const auto response = session.log_in(written);
		REQUIRE(outcome_of(response) == "200");
		CHECK(object_of(response) == json::object{{"sub", "alice"},
							  {"sa_id", nullptr},
							  {"exp", 1'800'000'000 + 7'776'000},
							  {"roles", json::array{"admin"}}});
		CHECK(cookie_of(response) ==
		      "neuwerk_auth=" + token + "; HttpOnly; Secure; SameSite=Strict; Path=/");
	}
	CHECK(object_of(session.log_in(session.mint())).at("roles") == json::array{});
}

TEST_CASE("a login that cannot succeed says why, and sets no cookie")
{
	Session session;
	const struct {
		std::string body, outcome;
	} rows[] = {
		{R"({"token":""})", "400 token is required"},
		{R"({"token":" \t"})", "400 token is required"},
		{R"({"token":"Bearer "})", "401 jwt missing claims"},
		{R"({"token":"bad"})", "401 jwt missing claims"},
		{R"({"token":")" + std::string(8192, 'x') + "\"}", "401 jwt missing claims"},
		{R"({"token":")" + std::string(8193, 'x') + "\"}", "400 token too large"},
	};
	for (const auto &row : rows) {
		CAPTURE(row.body);
		const auto response = session.call(Method::post, login_path, row.body);
		CHECK(outcome_of(response) == row.outcome);
		CHECK(cookie_of(response).empty());
	}
	for (const char *body : {"", "{", "[]", "{}", R"({"token":7})", R"({"token":null})"}) {
		CAPTURE(body);
		CHECK(outcome_of(session.call(Method::post, login_path, body))
			      .starts_with("400 invalid json: "));
	}
}

TEST_CASE("the twentieth failure of a token still answers 401, the next request 429, others are let in")
{
	Session session;
	const std::string good = session.mint();
	for (int i = 0; i < 20; i++)
		CHECK(outcome_of(session.log_in("bad")) == "401 jwt missing claims");
	CHECK(outcome_of(session.log_in("bad")) == "429 too many login attempts");
	CHECK(outcome_of(session.log_in(good)) == "200");
	session.peer = "192.0.2.2";
	CHECK(outcome_of(session.log_in("bad")) == "401 jwt missing claims");
}

TEST_CASE("a success forgets the failures before it")
{
	Session session;
	const std::string token = session.mint();
	const std::int64_t minted_ms = session.now_ms;
	const auto log_in_at = [&](std::int64_t time_ms) {
		session.now_ms = time_ms;
		return outcome_of(session.log_in(token));
	};
	for (int i = 0; i < 19; i++)
		CHECK(log_in_at(minted_ms - 3'600'000) == "401 jwt issued in the future");
	CHECK(log_in_at(minted_ms) == "200");
	for (int i = 0; i < 20; i++)
		CHECK(log_in_at(minted_ms - 3'600'000) == "401 jwt issued in the future");
	CHECK(log_in_at(minted_ms) == "429 too many login attempts");
}

TEST_CASE("without a readable key set a login is the server's fault")
{
	Session session;
	REQUIRE(session.store->write({{state::put("auth/api_keys", "{")}, "test", ""}));
	CHECK(outcome_of(session.log_in("a.b.c")) == "500 api auth keyset: not a JSON object");
	REQUIRE(session.store->write({{state::erase("auth/api_keys")}, "test", ""}));
	CHECK(outcome_of(session.log_in("a.b.c")) == "500 missing api auth keyset");
}

TEST_CASE("logout clears the cookie and asks nobody")
{
	Session session;
	session.subject = {};
	const auto response = session.call(Method::post, "/api/v1/auth/logout");
	CHECK(response.status == 204);
	CHECK(response.body.empty());
	CHECK(cookie_of(response) == "neuwerk_auth=; Max-Age=0; HttpOnly; Secure; SameSite=Strict; Path=/");
}

TEST_CASE("whoami shows the subject, with every member")
{
	Session session;
	session.subject = {
		.sub = "sa", .service_account = "sa", .expires_s = std::nullopt, .roles = {"readonly"}};
	CHECK(object_of(session.call(Method::get, "/api/v1/auth/whoami")) ==
	      json::object{
		      {"sub", "sa"}, {"sa_id", "sa"}, {"exp", nullptr}, {"roles", json::array{"readonly"}}});
}

TEST_CASE("keys are listed, rotated and retired")
{
	Keys keys;
	const auto before = array_of(keys.call(Method::get, "/api/v1/local/keys"));
	REQUIRE(before.size() == 1);
	const auto rotated = object_of(keys.call(Method::post, "/api/v1/local/keys/rotate"));
	CHECK(rotated.at("signing") == true);
	const auto after = array_of(keys.call(Method::get, "/api/v1/local/keys"));
	REQUIRE(after.size() == 2);
	CHECK(after[1] == rotated);
	const auto &old = after[0].as_object();
	CHECK(old.at("kid") == before[0].as_object().at("kid"));
	CHECK(old.at("active") == true);
	CHECK(old.at("signing") == false);
	CHECK(old.at("created_at") == "2027-01-15T08:00:00Z");

	const auto retire = [&](const std::string &kid) {
		return outcome_of(keys.call(Method::post, "/api/v1/local/keys/{kid}/retire", "", {kid}));
	};
	CHECK(retire(text_of(rotated, "kid")) == "409 cannot retire active signing key");
	CHECK(retire("nobody") == "404 unknown kid nobody");
	CHECK(retire(text_of(old, "kid")) == "204");
	CHECK(array_of(keys.call(Method::get, "/api/v1/local/keys"))[0].as_object().at("active") == false);
}

TEST_CASE("a token for a person is minted over the local socket only")
{
	Keys keys;
	for (const auto &route : keys.routes)
		CHECK(route.access == Access::local);
	const auto mint = [&](std::string_view body) {
		return keys.call(Method::post, "/api/v1/local/tokens", body);
	};
	const auto minted = mint(R"({"sub":"alice","ttl":"2h","roles":["Admin"]})");
	REQUIRE(outcome_of(minted) == "200");
	const std::string authorization = "Bearer " + text_of(object_of(minted), "token");
	const auto subject = keys.identity->authenticate({authorization, std::nullopt});
	REQUIRE(subject);
	CHECK(subject->sub == "alice");
	CHECK(subject->expires_s == 1'800'007'200);
	CHECK(subject->is_admin());

	const struct {
		std::string_view body, outcome;
	} rows[] = {
		{R"({"sub":""})", "400 sub is required"},
		{R"({"sub":"a","ttl":"soon"})", "400 invalid ttl duration: soon"},
		{R"({"sub":"a","ttl":"0"})", "400 ttl must be positive"},
		{R"({"sub":"a","kid":"nobody"})", "404 signing key not found"},
		{R"({"sub":"a","ttl":null,"kid":null,"roles":null})", "200"},
	};
	for (const auto &row : rows) {
		CAPTURE(row.body);
		CHECK(outcome_of(mint(row.body)) == row.outcome);
	}
	for (const char *body :
	     {"", "{}", R"({"sub":1})", R"({"sub":"a","ttl":5})", R"({"sub":"a","roles":"x"})"}) {
		CAPTURE(body);
		CHECK(outcome_of(mint(body)).starts_with("400 invalid json: "));
	}
}
