// Who is let in and who is not: every message of spec/http-api §3.2 has a row, in its order.
#include "identity/identity_bench.h"

using namespace neuwerk;
using namespace neuwerk::identity;

namespace {

json::object with(json::object object, std::string_view key, const json::value &value)
{
	object[key] = value;
	return object;
}

json::object without(json::object object, std::string_view key)
{
	object.erase(key);
	return object;
}

std::string message(Bench &bench, std::optional<std::string_view> authorization,
		    std::optional<std::string_view> cookie = std::nullopt)
{
	const auto subject = bench->authenticate({authorization, cookie});
	return subject ? "" : subject.error().what;
}

} // namespace

TEST_CASE("the credential is the bearer token, else the first neuwerk_auth cookie, and nothing else")
{
	Bench bench;
	const std::string token = bench.sign(bench.claims());
	const std::string bad = "bad";
	const struct {
		std::optional<std::string> authorization, cookie;
		std::string message;
	} rows[] = {
		{std::nullopt, std::nullopt, "missing bearer token"},
		{std::nullopt, "theme=dark", "missing bearer token"},
		{std::nullopt, "neuwerk_auth=", "missing bearer token"},
		{std::nullopt, "xneuwerk_auth=" + token, "missing bearer token"},
		{"", std::nullopt, "invalid authorization scheme"},
		{"Basic YTpi", std::nullopt, "invalid authorization scheme"},
		{"Bearer", std::nullopt, "invalid authorization scheme"},
		{"Bearer  ", std::nullopt, "invalid authorization scheme"},
		{token, std::nullopt, "invalid authorization scheme"},
		{"Bearer " + token, std::nullopt, ""},
		{"bEARER \t " + token + " more", std::nullopt, ""},
		{std::nullopt, "neuwerk_auth=" + token, ""},
		{std::nullopt, "theme=dark; neuwerk_auth=" + token + "; neuwerk_auth=bad", ""},
		{std::nullopt, "neuwerk_auth=bad; neuwerk_auth=" + token, "jwt missing claims"},
		{std::nullopt, "neuwerk_auth=\"" + token + "\"", "invalid jwt header"},
		{"Basic YTpi", "neuwerk_auth=" + token, ""},
		{"Bearer", "neuwerk_auth=" + token, ""},
		{"Bearer " + bad, "neuwerk_auth=" + token, "jwt missing claims"},
	};
	for (const auto &row : rows) {
		CAPTURE(row.authorization.value_or("none"));
		CAPTURE(row.cookie.value_or("none"));
		CHECK(message(bench, row.authorization, row.cookie) == row.message);
	}
}

TEST_CASE("what is no token of ours is refused with the message of its first fault")
{
	Bench bench;
	const std::string header = json::serialize(bench.header());
	const std::string claims = json::serialize(bench.claims());
	const std::string good = bench.sign_json(header, claims);
	const std::string head = crypto::to_base64url(header), body = crypto::to_base64url(claims);
	const auto other_header = [&](std::string_view key, const json::value &value) {
		return bench.sign_json(json::serialize(with(bench.header(), key, value)), claims);
	};
	const struct {
		std::string token, message;
	} rows[] = {
		{good, ""},
		{"." + body + ".c2ln", "jwt missing header"},
		{head, "jwt missing claims"},
		{head + "." + body, "jwt missing signature"},
		{good + ".x", "jwt has too many segments"},
		{"!!." + body + ".c2ln", "invalid jwt header"},
		{head + "==." + body + ".c2ln", "invalid jwt header"},
		{bench.sign_json("[]", claims), "invalid jwt header"},
		{bench.sign_json("{\"alg\":1}", claims), "invalid jwt header"},
		{bench.sign_json("{}", claims), "invalid jwt header"},
		{other_header("crit", json::array{"b64"}), "invalid jwt header"},
		{head + ".!!.c2ln", "invalid jwt claims"},
		{bench.sign_json(header, "null"), "invalid jwt claims"},
		{bench.sign_json(header, "{\"iat\":"), "invalid jwt claims"},
		{head + "." + body + ".!!", "invalid jwt signature encoding"},
		{head + "." + body + ".c2ln=", "invalid jwt signature encoding"},
		{other_header("alg", "none"), "unsupported jwt alg"},
		{other_header("alg", "HS256"), "unsupported jwt alg"},
		{other_header("alg", "eddsa"), "unsupported jwt alg"},
		{other_header("kid", "another"), "unknown jwt kid"},
		{other_header("kid", nullptr), "unknown jwt kid"},
		{head + "." + body + ".", "invalid jwt signature"},
		{head + "." + body + ".c2ln", "invalid jwt signature"},
		{head + "." + crypto::to_base64url(claims + " ") + good.substr(good.rfind('.')),
		 "invalid jwt signature"},
	};
	for (const auto &row : rows) {
		CAPTURE(row.token);
		CHECK(bench.refusal(row.token) == row.message);
	}
}

TEST_CASE("a claim that is missing, of another type or of another value is refused by its name")
{
	Bench bench;
	const json::object claims = bench.claims();
	const struct {
		json::object claims;
		std::string message;
	} rows[] = {
		{with(claims, "aud", json::array{"neuwerk-api"}), "invalid jwt claims"},
		{with(claims, "exp", "tomorrow"), "invalid jwt claims"},
		{with(claims, "exp", 1.5), "invalid jwt claims"},
		{with(claims, "exp", UINT64_MAX), "invalid jwt claims"},
		{without(claims, "iat"), "invalid jwt claims"},
		{with(claims, "roles", "admin"), "invalid jwt claims"},
		{with(claims, "roles", json::array{1}), "invalid jwt claims"},
		{with(claims, "sa_id", 7), "invalid jwt claims"},
		{with(claims, "iss", "somebody"), "invalid jwt issuer"},
		{without(claims, "iss"), "invalid jwt issuer"},
		{with(claims, "aud", "somebody"), "invalid jwt audience"},
		{with(claims, "sub", ""), "missing jwt sub"},
		{without(claims, "sub"), "missing jwt sub"},
		{without(claims, "jti"), "missing jwt jti"},
		{without(claims, "exp"), "missing jwt exp"},
		{with(claims, "exp", nullptr), "missing jwt exp"},
		{with(claims, "exp", INT64_MIN), "jwt expired"},
		{with(claims, "iat", INT64_MAX), "jwt issued in the future"},
		{with(claims, "scope", "anything"), ""},
		{with(claims, "exp", INT64_MAX), ""},
		{without(claims, "roles"), ""},
	};
	for (const auto &row : rows) {
		CAPTURE(json::serialize(row.claims));
		CHECK(bench.refusal(bench.sign(row.claims)) == row.message);
	}
}

TEST_CASE("clocks may differ by 60 s in both directions, remembered token or not")
{
	Bench bench;
	const json::object claims = bench.claims();
	const std::int64_t now_s = bench.now_s();
	CHECK(bench.refusal(bench.sign(with(claims, "exp", now_s - 60))) == "");
	CHECK(bench.refusal(bench.sign(with(claims, "exp", now_s - 61))) == "jwt expired");
	CHECK(bench.refusal(bench.sign(with(claims, "iat", now_s + 60))) == "");
	CHECK(bench.refusal(bench.sign(with(claims, "iat", now_s + 61))) == "jwt issued in the future");

	const std::string token = bench.sign(claims);
	CHECK(bench.refusal(token) == "");
	bench.now_ms += 3660'000;
	CHECK(bench.refusal(token) == "");
	bench.now_ms += 1000;
	CHECK(bench.refusal(token) == "jwt expired");
	bench.now_ms -= 3'800'000;
	CHECK(bench.refusal(token) == "jwt issued in the future");
}

TEST_CASE("a key that is gone or cannot be read refuses everybody, and says so")
{
	Bench bench;
	const std::string token = bench.sign(bench.claims());
	REQUIRE(bench.refusal(token) == "");
	REQUIRE(bench.store->write({{state::put("auth/api_keys", "{")}, "test", ""}));
	CHECK(bench.refusal(token) == "api auth keyset: not a JSON object");
	CHECK(bench->check_token(token).error().kind == ErrorKind::corrupt);
	REQUIRE(bench.store->write({{state::erase("auth/api_keys")}, "test", ""}));
	CHECK(bench.refusal(token) == "missing api auth keyset");
	CHECK(bench->check_token(token).error().kind == ErrorKind::unavailable);
}

TEST_CASE("the memory of tokens is bounded and never lets one in for another")
{
	Bench bench;
	const std::string token = bench.sign(bench.claims());
	for (int i = 0; i < 3; i++) {
		REQUIRE(bench.refusal(token) == "");
		CHECK(bench.refusal(token + "A").starts_with("invalid jwt signature"));
	}
}

TEST_CASE("roles of a person's token count as claimed, whatever their case, and none is readonly")
{
	Bench bench;
	const auto is_admin = [&](const json::value &roles) {
		const std::string token = bench.sign(with(bench.claims(), "roles", roles));
		return bench->authenticate({"Bearer " + token, std::nullopt})->is_admin();
	};
	CHECK(is_admin(json::array{"admin"}));
	CHECK(is_admin(json::array{"readonly", "ADMIN"}));
	CHECK_FALSE(is_admin(json::array{"administrator"}));
	CHECK_FALSE(is_admin(json::array{}));
	CHECK_FALSE(is_admin(nullptr));
}

TEST_CASE("the metrics know why somebody was refused")
{
	const auto reason = [](const char *what) {
		return denial_reason({ErrorKind::unauthenticated, what});
	};
	CHECK(reason("missing bearer token") == "missing_token");
	CHECK(reason("invalid authorization scheme") == "invalid_scheme");
	CHECK(reason("missing api auth keyset") == "keyset_error");
	CHECK(reason("api auth keyset: not a JSON object") == "keyset_error");
	CHECK(reason("jwt expired") == "invalid_token");
	CHECK(denial_reason({ErrorKind::corrupt, "record x: damaged"}) == "keyset_error");
}
