// Service accounts and their tokens: what spec/http-api §5.6 says of each.
#include "identity/identity_bench.h"

#include "identity/account_book.h"

#include <utility>

using namespace neuwerk;
using namespace neuwerk::identity;

namespace {

template <typename Value>
std::string error_of(const Result<Value> &result)
{
	return result ? "" : result.error().what;
}

std::string error_of(const Result<> &result)
{
	return result ? "" : result.error().what;
}

const std::string unknown = "67e55044-10b1-426f-9247-bb680e5fe0c8";

} // namespace

TEST_CASE("an account is kept as it was written, blanks around its texts apart")
{
	Bench bench;
	const auto made = bench->create_account({" ci ", " builds\n", Role::readonly}, "alice");
	REQUIRE(made);
	CHECK(crypto::canonical_uuid(made->id) == made->id);
	CHECK(made->name == "ci");
	CHECK(made->description == "builds");
	CHECK(made->created_at == "2027-01-15T08:00:00Z");
	CHECK(made->created_by == "alice");
	CHECK(made->role == Role::readonly);
	CHECK(made->enabled);
	CHECK_FALSE(bench->create_account({"ci", "  ", Role::admin}, "alice")->description);
	CHECK(error_of(bench->create_account({" ", std::nullopt, Role::admin}, "alice")) ==
	      "name is required");
	CHECK(error_of(bench->create_account({std::string(1025, 'x'), std::nullopt, Role::admin}, "alice")) ==
	      "name is too long: 1025 bytes, at most 1024");
	CHECK(bench->accounts()->size() == 2);
}

TEST_CASE("accounts and tokens are listed in the order of their creation, the dead ones too")
{
	Bench bench; // its clock stands still: the order is not that of created_at alone
	std::vector<std::string> accounts, tokens;
	for (int i = 0; i < 20; i++)
		accounts.push_back(bench.account().id);
	for (int i = 0; i < 20; i++)
		tokens.push_back(bench.token(accounts[0]).meta.id);
	REQUIRE(bench->disable_account(accounts[3], "root"));
	REQUIRE(bench->revoke_token(accounts[0], tokens[3], "root"));
	bench.open();
	accounts.push_back(bench.account().id);
	std::vector<std::string> listed;
	const auto all_accounts = bench->accounts();
	for (const auto &account : *all_accounts)
		listed.push_back(account.id);
	CHECK(listed == accounts);
	listed.clear();
	const auto all_tokens = bench->tokens(accounts[0]);
	for (const auto &token : *all_tokens)
		listed.push_back(token.id);
	CHECK(listed == tokens);
	CHECK(bench->tokens(unknown)->empty());
}

TEST_CASE("an update replaces everything but the status")
{
	Bench bench;
	const auto account = bench->create_account({"ci", "builds", Role::admin}, "root");
	REQUIRE(bench->disable_account(account->id, "root"));
	const auto updated = bench->update_account(account->id, {"cd", std::nullopt, Role::readonly}, "root");
	REQUIRE(updated);
	CHECK(updated->name == "cd");
	CHECK_FALSE(updated->description);
	CHECK(updated->role == Role::readonly);
	CHECK_FALSE(updated->enabled);
	CHECK(updated->created_by == "root");
	CHECK(bench->accounts()->at(0).name == "cd");
	CHECK(error_of(bench->update_account(unknown, {"cd", std::nullopt, Role::admin}, "root")) ==
	      "service account not found");
	CHECK(error_of(bench->update_account(account->id, {"", std::nullopt, Role::admin}, "root")) ==
	      "name is required");
}

TEST_CASE("an update by name finds the one active account of that name")
{
	Bench bench;
	const AccountFields fields{" ci ", "new", Role::readonly};
	CHECK(bench->update_account_by_name(fields, "root").error().kind == ErrorKind::not_found);
	const auto first = bench.account();
	const auto updated = bench->update_account_by_name(fields, "root");
	REQUIRE(updated);
	CHECK(updated->id == first.id);
	CHECK(updated->description == "new");
	const auto second = bench.account();
	CHECK(bench->update_account_by_name(fields, "root").error().kind == ErrorKind::conflict);
	REQUIRE(bench->disable_account(first.id, "root"));
	CHECK(bench->update_account_by_name(fields, "root")->id == second.id);
}

TEST_CASE("disabling an account revokes its tokens, once, and leaves those of others alone")
{
	Bench bench;
	const auto account = bench.account(), other = bench.account();
	const auto first = bench.token(account.id), second = bench.token(account.id);
	bench.token(other.id);
	REQUIRE(bench->revoke_token(account.id, first.meta.id, "root"));
	bench.now_ms += 1500;
	REQUIRE(bench->disable_account(account.id, "root"));
	CHECK_FALSE(bench->account(account.id)->enabled);
	CHECK(bench->tokens(account.id)->at(0).revoked_at == "2027-01-15T08:00:00Z");
	CHECK(bench->tokens(account.id)->at(1).revoked_at == "2027-01-15T08:00:01.5Z");
	CHECK_FALSE(bench->tokens(other.id)->at(0).revoked_at);
	const auto index = bench.store->applied_index();
	CHECK(bench->disable_account(account.id, "root"));
	CHECK(bench.store->applied_index() == index);
	CHECK(error_of(bench->disable_account(unknown, "root")) == "service account not found");
	CHECK(error_of(bench->mint_token(account.id, {}, "root")) == "service account disabled");
}

TEST_CASE("a minted token says what was asked for, and works")
{
	Bench bench;
	const auto account = bench.account();
	const auto minted =
		bench.token(account.id, {.name = " deploy ", .ttl = "2h", .role = Role::readonly});
	CHECK(minted.meta.service_account_id == account.id);
	CHECK(minted.meta.name == "deploy");
	CHECK(minted.meta.created_by == "root");
	CHECK(minted.meta.expires_at == "2027-01-15T10:00:00Z");
	CHECK(minted.meta.kid == bench.active_kid());
	CHECK(minted.meta.role == Role::readonly);
	const auto subject = bench->authenticate({"Bearer " + minted.token, std::nullopt});
	REQUIRE(subject);
	CHECK(subject->roles == std::vector<std::string>{"readonly"});
	CHECK(subject->expires_s == bench.now_s() + 7200);

	const auto plain = bench.token(account.id);
	CHECK_FALSE(plain.meta.name);
	CHECK(plain.meta.role == Role::admin);
	CHECK(plain.meta.expires_at == "2027-04-15T08:00:00Z");
	const auto eternal = bench.token(account.id, {.ttl = " ", .eternal = true});
	CHECK_FALSE(eternal.meta.expires_at);
	bench.now_ms += 40LL * 365 * 86'400'000;
	CHECK(bench.refusal(eternal.token) == "");
	CHECK(bench.refusal(plain.token) == "jwt expired");
	const auto records = bench.store->list("auth/");
	for (const auto &record : *records)
		CHECK(record.value.find(minted.token) == std::string::npos);
}

TEST_CASE("a token that cannot be minted is refused in the order of the specification")
{
	Bench bench;
	const auto account = bench.account(Role::readonly);
	const auto error = [&](const TokenRequest &request) {
		return error_of(bench->mint_token(account.id, request, "root"));
	};
	CHECK(error_of(bench->mint_token(unknown, {}, "root")) == "service account not found");
	CHECK(error({.ttl = "soon", .eternal = true, .role = Role::admin}) == "invalid ttl duration: soon");
	CHECK(error({.ttl = "1h", .eternal = true, .role = Role::admin}) ==
	      "ttl and eternal are mutually exclusive");
	CHECK(error({.role = Role::admin}) == "token role exceeds account role");
	CHECK(error({.name = std::string(1025, 'x')}) == "name is too long: 1025 bytes, at most 1024");
	CHECK(bench->tokens(account.id)->empty());
}

TEST_CASE("a token is revoked through its own account only, and twice is once")
{
	Bench bench;
	const auto account = bench.account(), other = bench.account();
	const auto token = bench.token(account.id);
	const auto error = [&](const std::string &of, const std::string &id) {
		return error_of(bench->revoke_token(of, id, "root"));
	};
	CHECK(error(account.id, unknown) == "token not found");
	CHECK(error(other.id, token.meta.id) == "token does not belong to account");
	CHECK(bench.refusal(token.token) == "");
	CHECK(error(account.id, token.meta.id) == "");
	bench.now_ms += 5000;
	CHECK(error(account.id, token.meta.id) == "");
	CHECK(bench->tokens(account.id)->at(0).revoked_at == "2027-01-15T08:00:00Z");
}

TEST_CASE("a full table of tokens gives up dead ones, and refuses when all are alive")
{
	Bench bench;
	const auto account = bench.account();
	std::vector<state::Operation> operations;
	const TokenRecord model{.meta = {.service_account_id = account.id,
					 .created_at = "2027-01-15T08:00:00Z",
					 .created_by = "t",
					 .kid = "k",
					 .role = Role::readonly}};
	std::string first;
	for (std::size_t i = 0; i < token_limit_count; i++) {
		TokenRecord record = model;
		record.meta.id = crypto::random_uuid();
		record.sequence = static_cast<std::int64_t>(i);
		if (i == 0)
			first = record.meta.id;
		operations.push_back(state::put(token_key(record.meta.id), to_json(record)));
		if (operations.size() == 1024)
			REQUIRE(bench.store->write({std::exchange(operations, {}), "t", ""}));
	}
	const auto refused = bench->mint_token(account.id, {}, "root");
	REQUIRE_FALSE(refused);
	CHECK(refused.error().kind == ErrorKind::resource_exhausted);
	REQUIRE(bench->revoke_token(account.id, first, "root"));
	CHECK(bench->mint_token(account.id, {}, "root"));
	CHECK(bench->tokens(account.id)->size() == token_limit_count);
}

TEST_CASE("a record that is not ours is reported by its key, never skipped")
{
	Bench bench;
	const auto account = bench.account();
	REQUIRE(bench.store->write({{state::put(account_key(account.id), "{}")}, "test", ""}));
	const auto listed = bench->accounts();
	REQUIRE_FALSE(listed);
	CHECK(listed.error().kind == ErrorKind::corrupt);
	CHECK(listed.error().what.starts_with("record auth/service-accounts/item/" + account.id));
}
