// Service accounts and their tokens over the API: shapes, errors and their order (spec/http-api §5.6, §12.2).
#include "api/handler_bench.h"

#include "base/text.h"

using namespace neuwerk;
using namespace neuwerk::api;

namespace json = boost::json;

namespace {

constexpr std::string_view collection = "/api/v1/service-accounts";
constexpr std::string_view item = "/api/v1/service-accounts/{id}";
constexpr std::string_view by_name = "/api/v1/service-accounts/";
constexpr std::string_view tokens = "/api/v1/service-accounts/{id}/tokens";
constexpr std::string_view token_item = "/api/v1/service-accounts/{id}/tokens/{token_id}";
const std::string unknown = "67e55044-10b1-426f-9247-bb680e5fe0c8";

struct Accounts : HandlerBench {
	Accounts() : HandlerBench(add_service_accounts_routes) {}

	json::object create(std::string_view body = R"({"name":"ci","role":"admin"})")
	{
		const auto response = call(Method::post, collection, body);
		REQUIRE(outcome_of(response) == "200");
		return object_of(response);
	}
	std::string create_id()
	{
		return text_of(create(), "id");
	}
	json::object mint(const std::string &account, std::string_view body = "{}")
	{
		const auto response = call(Method::post, tokens, body, {account});
		REQUIRE(outcome_of(response) == "200");
		return object_of(response);
	}
	std::string outcome(Method method, std::string_view path, std::string_view body,
			    std::vector<std::string> parameters = {})
	{
		return outcome_of(call(method, path, body, std::move(parameters)));
	}
};

} // namespace

TEST_CASE("an account has the members that Terraform reads")
{
	Accounts bench;
	json::object account =
		bench.create(R"({"name":" ci ","description":null,"role":"readonly","more":1})");
	CHECK(crypto::canonical_uuid(text_of(account, "id")));
	const json::array listed = array_of(bench.call(Method::get, collection));
	REQUIRE(listed.size() == 1);
	CHECK(listed[0] == account);
	account.erase("id");
	CHECK(account == json::object{{"name", "ci"},
				      {"description", nullptr},
				      {"created_at", "2027-01-15T08:00:00Z"},
				      {"created_by", "tester"},
				      {"role", "readonly"},
				      {"status", "active"}});
}

TEST_CASE("an account that cannot be is refused, and none is made")
{
	Accounts bench;
	CHECK(bench.outcome(Method::post, collection, R"({"name":" ","role":"admin"})") ==
	      "400 name is required");
	for (const char *body : {"", "[]", R"(["n",null,"admin"])", R"({"role":"admin"})", R"({"name":"x"})",
				 R"({"name":"x","role":"root"})", R"({"name":"x","role":"Admin"})",
				 R"({"name":1,"role":"admin"})", R"({"name":"x","name":"y","role":"admin"})",
				 R"({"name":"x","role":"admin","description":[]})"}) {
		CAPTURE(body);
		CHECK(bench.outcome(Method::post, collection, body).starts_with("400 invalid json: "));
	}
	CHECK(array_of(bench.call(Method::get, collection)).empty());
}

TEST_CASE("an update replaces all fields; its id and its account come before its body")
{
	Accounts bench;
	const auto account = bench.create(R"({"name":"ci","description":"builds","role":"admin"})");
	const std::string id = text_of(account, "id");
	CHECK(bench.outcome(Method::put, item, "{", {"x"}) == "400 invalid service account id");
	CHECK(bench.outcome(Method::put, item, "{", {unknown}) == "404 service account not found");
	CHECK(bench.outcome(Method::put, item, "{", {id}).starts_with("400 invalid json: "));
	CHECK(bench.outcome(Method::put, item, R"({"name":"","role":"admin"})", {id}) ==
	      "400 name is required");
	const std::string shouted = "{" + id + "}";
	const auto updated =
		object_of(bench.call(Method::put, item, R"({"name":"cd","role":"readonly"})", {shouted}));
	CHECK(text_of(updated, "id") == id);
	CHECK(updated.at("name") == "cd");
	CHECK(updated.at("description") == nullptr);
	CHECK(updated.at("role") == "readonly");
	CHECK(updated.at("created_at") == account.at("created_at"));
}

TEST_CASE("an update without an id finds the one active account of that name")
{
	Accounts bench;
	const std::string body = R"({"name":"ci","description":"new","role":"readonly"})";
	CHECK(bench.outcome(Method::put, by_name, body) == "404 service account not found");
	const std::string id = bench.create_id();
	CHECK(text_of(object_of(bench.call(Method::put, by_name, body)), "id") == id);
	const std::string second = bench.create_id();
	CHECK(bench.outcome(Method::put, by_name, body).starts_with("409 service account name 'ci': "));
	REQUIRE(bench.outcome(Method::erase, item, "", {id}) == "204");
	CHECK(text_of(object_of(bench.call(Method::put, by_name, body)), "id") == second);
	CHECK(bench.outcome(Method::put, by_name, "").starts_with("400 invalid json: "));
}

TEST_CASE("deleting an account disables it, any number of times, and keeps it listed")
{
	Accounts bench;
	const std::string id = bench.create_id();
	bench.mint(id);
	CHECK(bench.outcome(Method::erase, item, "", {"x"}) == "400 invalid service account id");
	CHECK(bench.outcome(Method::erase, item, "", {unknown}) == "404 service account not found");
	CHECK(bench.outcome(Method::erase, item, "", {id}) == "204");
	CHECK(bench.outcome(Method::erase, item, "", {id}) == "204");
	CHECK(array_of(bench.call(Method::get, collection))[0].as_object().at("status") == "disabled");
	const auto token = array_of(bench.call(Method::get, tokens, "", {id}))[0].as_object();
	CHECK(token.at("status") == "revoked");
	CHECK(token.at("revoked_at") == "2027-01-15T08:00:00Z");
}

TEST_CASE("a minted token is shown once, with its metadata")
{
	Accounts bench;
	const std::string id = bench.create_id();
	const auto minted = bench.mint(id, R"({"name":"deploy","ttl":"1d","role":"readonly"})");
	const std::string authorization = "Bearer " + text_of(minted, "token");
	json::object meta = minted.at("token_meta").as_object();
	const auto listed = array_of(bench.call(Method::get, tokens, "", {id}));
	REQUIRE(listed.size() == 1);
	CHECK(listed[0] == meta);
	CHECK(bench.identity->authenticate({authorization, std::nullopt})->sub == id);
	CHECK(crypto::canonical_uuid(text_of(meta, "id")));
	meta.erase("id");
	CHECK(meta == json::object{{"service_account_id", id},
				   {"name", "deploy"},
				   {"created_at", "2027-01-15T08:00:00Z"},
				   {"created_by", "tester"},
				   {"expires_at", "2027-01-16T08:00:00Z"},
				   {"revoked_at", nullptr},
				   {"last_used_at", nullptr},
				   {"kid", bench.identity->keys()->at(0).kid},
				   {"role", "readonly"},
				   {"status", "active"}});
	const auto eternal = bench.mint(id, R"({"eternal":true,"ttl":null})").at("token_meta").as_object();
	CHECK(eternal.at("expires_at") == nullptr);
	CHECK(eternal.at("name") == nullptr);
	CHECK(eternal.at("role") == "admin");
}

TEST_CASE("faults of a minting request are told in their order")
{
	Accounts bench;
	const std::string id = text_of(bench.create(R"({"name":"ci","role":"readonly"})"), "id");
	const std::string disabled = bench.create_id();
	REQUIRE(bench.outcome(Method::erase, item, "", {disabled}) == "204");
	const struct {
		std::string id, body, outcome;
	} rows[] = {
		{"x", "{", "400 invalid service account id"},
		{unknown, "{", "404 service account not found"},
		{disabled, "{", "400 service account disabled"},
		{id, R"({"ttl":"soon","eternal":true,"role":"admin"})", "400 invalid ttl duration: soon"},
		{id, R"({"ttl":"5\u00e9"})", "400 invalid ttl duration: 5\xc3\xa9"},
		{id, R"({"ttl":"0"})", "400 ttl must be positive"},
		{id, R"({"ttl":"9223372036854775807d"})", "400 ttl duration overflow"},
		{id, R"({"ttl":"1h","eternal":true,"role":"admin"})",
		 "400 ttl and eternal are mutually exclusive"},
		{id, R"({"role":"admin"})", "400 token role exceeds account role"},
		{id, R"({"ttl":" ","eternal":false})", "200"},
	};
	for (const auto &row : rows) {
		CAPTURE(row.body);
		CHECK(bench.outcome(Method::post, tokens, row.body, {row.id}) == row.outcome);
	}
	for (const char *body : {"", "[]", R"({"ttl":90})", R"({"eternal":"yes"})", R"({"role":"root"})"}) {
		CAPTURE(body);
		CHECK(bench.outcome(Method::post, tokens, body, {id}).starts_with("400 invalid json: "));
	}
	CHECK(array_of(bench.call(Method::get, tokens, "", {id})).size() == 1);
}

TEST_CASE("tokens are listed and revoked through their account")
{
	Accounts bench;
	const std::string id = bench.create_id(), other = bench.create_id();
	const auto minted = bench.mint(id);
	const std::string token = text_of(minted.at("token_meta").as_object(), "id");
	CHECK(bench.outcome(Method::get, tokens, "", {"x"}) == "400 invalid service account id");
	CHECK(array_of(bench.call(Method::get, tokens, "", {unknown})).empty());
	CHECK(array_of(bench.call(Method::get, tokens, "", {other})).empty());

	const auto revoke = [&](const std::string &account, const std::string &which) {
		return bench.outcome(Method::erase, token_item, "", {account, which});
	};
	CHECK(revoke("x", token) == "400 invalid service account id");
	CHECK(revoke(id, "x") == "400 invalid token id");
	CHECK(revoke(id, unknown) == "404 token not found");
	CHECK(revoke(other, token) == "400 token does not belong to account");
	CHECK(revoke(id, token) == "204");
	CHECK(revoke(id, token) == "204");
	const std::string authorization = "Bearer " + text_of(minted, "token");
	CHECK(bench.identity->authenticate({authorization, std::nullopt}).error().what == "token revoked");
}
