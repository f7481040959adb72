// A service account's token against its records: every message of spec/http-api §3.2 has a row, in its order;
// and what takes effect at once.
#include "identity/identity_bench.h"

#include "identity/account_records.h"
#include "identity/verifier.h"

#include <functional>

using namespace neuwerk;
using namespace neuwerk::identity;

namespace {

struct Holder : Bench {
	// As minting writes them.
	[[nodiscard]] json::object claims_of_token() const
	{
		json::object claims = Bench::claims();
		claims["sub"] = claims["sa_id"] = account.id;
		claims["jti"] = token.meta.id;
		claims["roles"] = json::array{"admin"};
		claims["exp"] = now_s() + default_ttl_s;
		return claims;
	}
	void alter_token(std::string_view member, const json::value &value) const
	{
		alter(token_key(token.meta.id), member, value);
	}

	const Account account = Bench::account();
	const MintedToken token = Bench::token(account.id);
};

} // namespace

TEST_CASE("a claim that does not fit the records is refused with its message")
{
	Holder holder;
	const struct {
		std::string_view claim;
		json::value value;
		std::string message;
	} rows[] = {
		{"sub", json::value(holder.account.id), ""},
		{"sa_id", "x", "invalid service account id"},
		{"sub", "x", "jwt sub does not match service account"},
		{"jti", "x", "invalid token id"},
		{"jti", "67e55044-10b1-426f-9247-bb680e5fe0c8", "token not found"},
		{"roles", json::array{"root"}, "invalid service account role claim"},
		{"roles", json::array{"admin", "READONLY"}, ""},
		{"exp", nullptr, "missing jwt exp"},
		{"exp", holder.now_s() - 61, "jwt expired"},
	};
	for (const auto &row : rows) {
		CAPTURE(row.message);
		json::object claims = holder.claims_of_token();
		claims[row.claim] = row.value;
		CHECK(holder.refusal(holder.sign(claims)) == row.message);
	}
}

TEST_CASE("a record that changed since the token was minted counts from the next request on")
{
	const struct {
		std::string message;
		std::function<void(Holder &)> change;
	} rows[] = {
		{"token does not belong to service account",
		 [](Holder &holder) {
			 holder.alter_token("service_account_id", json::value(crypto::random_uuid()));
		 }},
		{"token revoked",
		 [](Holder &holder) {
			 REQUIRE(holder->revoke_token(holder.account.id, holder.token.meta.id, "root"));
		 }},
		{"token revoked", [](Holder &holder) { holder.alter_token("status", "strange"); }},
		{"token revoked",
		 [](Holder &holder) { holder.alter_token("revoked_at", "2027-01-15T08:00:00Z"); }},
		{"service account not found",
		 [](Holder &holder) {
			 REQUIRE(holder.store->write(
				 {{state::erase(account_key(holder.account.id))}, "test", ""}));
		 }},
		{"service account disabled",
		 [](Holder &holder) { holder.alter(account_key(holder.account.id), "status", "disabled"); }},
		{"token role exceeds current account role",
		 [](Holder &holder) {
			 REQUIRE(holder->update_account(holder.account.id,
							{"ci", std::nullopt, Role::readonly}, "root"));
		 }},
		{"jwt role exceeds stored token role",
		 [](Holder &holder) { holder.alter_token("role", "readonly"); }},
		{"token expired",
		 [](Holder &holder) { holder.alter_token("expires_s", holder.now_s() - 61); }},
		{"", [](Holder &holder) { holder.alter_token("expires_s", holder.now_s() - 60); }},
		{"jwt expired", [](Holder &holder) { holder.now_ms += 91 * 86'400'000LL; }},
	};
	for (const auto &row : rows) {
		CAPTURE(row.message);
		Holder holder;
		REQUIRE(holder.refusal(holder.token.token) == ""); // remembered from here on
		row.change(holder);
		CHECK(holder.refusal(holder.token.token) == row.message);
	}
}

TEST_CASE("a stored end that passes refuses a remembered token, whatever its claim says")
{
	Holder holder;
	holder.alter_token("expires_s", holder.now_s() + 10);
	REQUIRE(holder.refusal(holder.token.token) == "");
	holder.now_ms += 70'000;
	CHECK(holder.refusal(holder.token.token) == "");
	holder.now_ms += 1'000;
	CHECK(holder.refusal(holder.token.token) == "token expired");
}

TEST_CASE("a record that cannot be read is no verdict about the token")
{
	Holder holder;
	REQUIRE(holder.store->write({{state::put(token_key(holder.token.meta.id), "{}")}, "test", ""}));
	const auto subject = holder->authenticate({"Bearer " + holder.token.token, std::nullopt});
	REQUIRE_FALSE(subject);
	CHECK(subject.error().kind == ErrorKind::corrupt);
	CHECK(denial_reason(subject.error()) == "keyset_error");
}

TEST_CASE("the effective role of a service account is that of the stored token; a login echoes the claim")
{
	Bench bench;
	const auto account = bench.account();
	const auto token = bench.token(account.id);
	json::object claims = bench.claims();
	claims["sub"] = claims["sa_id"] = account.id;
	claims["jti"] = token.meta.id;
	claims["roles"] = json::array{"readonly"};
	const std::string presented = bench.sign(claims);
	const auto subject = bench->authenticate({"Bearer " + presented, std::nullopt});
	REQUIRE(subject);
	CHECK(subject->sub == account.id);
	CHECK(subject->service_account == account.id);
	CHECK(subject->roles == std::vector<std::string>{"admin"});
	CHECK(subject->is_admin());
	CHECK(bench->check_token(presented)->roles == std::vector<std::string>{"readonly"});
	claims.erase("roles");
	CHECK(bench->check_token(bench.sign(claims))->roles.empty());
}

TEST_CASE("a retired key, a revoked token and a disabled account count at once for a remembered token")
{
	Bench bench;
	const auto account = bench.account();
	const auto first = bench.token(account.id), second = bench.token(account.id);
	const std::string user = bench.sign(bench.claims());
	const std::string old_kid = bench.active_kid();
	for (const auto &token : {first.token, second.token, user})
		REQUIRE(bench.refusal(token) == "");

	REQUIRE(bench->revoke_token(account.id, first.meta.id, "root"));
	CHECK(bench.refusal(first.token) == "token revoked");
	CHECK(bench.refusal(second.token) == "");
	REQUIRE(bench->disable_account(account.id, "root"));
	CHECK(bench.refusal(second.token) == "token revoked");
	CHECK(bench.refusal(user) == "");
	REQUIRE(bench->rotate_key("root"));
	CHECK(bench.refusal(user) == "");
	REQUIRE(bench->retire_key(old_kid, "root"));
	CHECK(bench.refusal(user) == "jwt key retired");
}

TEST_CASE("last_used_at is refreshed when it is 60 s old, and using a token forgets nobody")
{
	Bench bench;
	const auto account = bench.account();
	const auto token = bench.token(account.id);
	const auto last_used = [&] {
		// Writes are in order: after this one the refresh before it is visible.
		REQUIRE(bench.store->write({{state::put("test/fence", "")}, "test", ""}));
		return bench->tokens(account.id)->at(0).last_used_at.value_or("never");
	};
	CHECK(last_used() == "never");
	REQUIRE(bench.refusal(token.token) == "");
	CHECK(last_used() == "2027-01-15T08:00:00Z");
	bench.now_ms += 59'000;
	REQUIRE(bench.refusal(token.token) == "");
	CHECK(last_used() == "2027-01-15T08:00:00Z");
	bench.now_ms += 1'000;
	REQUIRE(bench.refusal(token.token) == "");
	CHECK(last_used() == "2027-01-15T08:01:00Z");
	const auto index = bench.store->applied_index();
	for (int i = 0; i < 100; i++)
		REQUIRE(bench.refusal(token.token) == "");
	REQUIRE(bench.store->write({{state::put("test/fence", "")}, "test", ""}));
	CHECK(bench.store->applied_index() == index + 1);
}

TEST_CASE("a token stays remembered while it is used, and until something under auth/ changes")
{
	Holder holder;
	AccountBook book(*holder.store, [&] { return holder.now_ms; });
	Verifier verifier(*holder.store, book, [&] { return holder.now_ms; });
	const auto fence = [&] {
		REQUIRE(holder.store->write({{state::put("test/fence", "")}, "test", ""}));
	};
	const auto first = verifier.verify(holder.token.token);
	REQUIRE(first);
	verifier.note_use(**first);
	fence();
	REQUIRE(*book.last_used_s(holder.token.meta.id) == holder.now_s());
	CHECK(*verifier.verify(holder.token.token) == *first);
	holder.alter_token("name", "renamed");
	CHECK(*verifier.verify(holder.token.token) != *first);
}

TEST_CASE("of remembered tokens those that are used stay, and the rest is bounded")
{
	VerifiedTokens tokens;
	const auto used = std::make_shared<Verified>();
	tokens.remember("used", tokens.epoch(), used);
	for (std::size_t i = 0; i < 3 * verified_limit_count; i++) {
		tokens.remember(std::to_string(i), tokens.epoch(), std::make_shared<Verified>());
		if (i % 1000 == 0)
			REQUIRE(tokens.find("used") == used);
	}
	std::size_t kept = 0;
	for (std::size_t i = 0; i < 3 * verified_limit_count; i++)
		kept += tokens.find(std::to_string(i)) ? 1 : 0;
	CHECK(kept >= verified_limit_count / 2);
	CHECK(kept <= verified_limit_count);
}

TEST_CASE("what was verified before a change is not remembered after it")
{
	VerifiedTokens tokens;
	const auto before = tokens.epoch();
	tokens.forget_all(); // while the verification was under way
	tokens.remember("late", before, std::make_shared<Verified>());
	CHECK_FALSE(tokens.find("late"));
}
