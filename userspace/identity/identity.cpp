// The front door: credentials to subjects, keys, and what the API does with accounts.
#include "identity/identity.h"

#include "base/text.h"
#include "identity/account_book.h"
#include "identity/credentials.h"
#include "identity/key_ring.h"
#include "identity/spelling.h"
#include "identity/verifier.h"

#include <algorithm>
#include <utility>

namespace neuwerk::identity {

namespace {

// As tokens carry them: trimmed, lower-case, each once.
std::vector<std::string> normalised(const std::vector<std::string> &roles)
{
	std::vector<std::string> out;
	for (const auto &written : roles) {
		std::string role = lower(trimmed(std::string_view(written)));
		if (!role.empty() && std::ranges::find(out, role) == out.end())
			out.push_back(std::move(role));
	}
	return out;
}

struct Draft {
	TokenRecord record; // without kid
	Claims claims;
};

Result<std::optional<std::int64_t>> end_of(const TokenRequest &request, std::int64_t now_s)
{
	const std::string_view ttl = trimmed(request.ttl);
	const auto ttl_s = parse_ttl(ttl, now_s);
	if (!ttl_s)
		return tl::unexpected(ttl_s.error());
	if (request.eternal && !ttl.empty())
		return fail(ErrorKind::invalid_argument, "ttl and eternal are mutually exclusive");
	if (request.eternal)
		return std::nullopt;
	return now_s + *ttl_s;
}

// The checks in the order of spec/http-api §5.6, then the token as it will be kept and as it will be signed.
Result<Draft> draft_of(const TokenRequest &request, const Account &account, const std::string &actor,
		       std::int64_t now_ms)
{
	if (!account.enabled)
		return fail(ErrorKind::invalid_argument, "service account disabled");
	const auto expires_s = end_of(request, now_ms / 1000);
	if (!expires_s)
		return tl::unexpected(expires_s.error());
	const Role role = request.role.value_or(account.role);
	if (role == Role::admin && account.role != Role::admin)
		return fail(ErrorKind::invalid_argument, "token role exceeds account role");
	const std::string_view token_name = trimmed(request.name);
	if (token_name.size() > name_limit_bytes)
		return fail(ErrorKind::invalid_argument, text("name is too long: ", token_name.size(),
							      " bytes, at most ", name_limit_bytes));
	Draft draft;
	draft.record.meta = {.id = crypto::random_uuid(),
			     .service_account_id = account.id,
			     .created_at = format_time(now_ms),
			     .created_by = actor,
			     .role = role};
	if (!token_name.empty())
		draft.record.meta.name = token_name;
	if (*expires_s)
		draft.record.meta.expires_at = format_time(**expires_s * 1000);
	draft.record.expires_s = *expires_s;
	draft.claims.subject = account.id;
	draft.claims.service_account = account.id;
	draft.claims.token_id = draft.record.meta.id;
	draft.claims.issued_s = now_ms / 1000;
	draft.claims.expires_s = *expires_s;
	draft.claims.roles = {std::string(name(role))};
	return draft;
}

} // namespace

struct Identity::State {
	State(state::Store &store, crypto::SealingKey sealing, const WallClock &clock)
	    : now_ms(clock), keys(store, std::move(sealing), clock), book(store, clock),
	      verifier(store, book, clock)
	{
	}

	[[nodiscard]] std::int64_t now_s() const
	{
		return now_ms() / 1000;
	}

	WallClock now_ms;
	KeyRing keys;
	AccountBook book;
	Verifier verifier;
};

Identity::Identity(std::unique_ptr<State> state) : state_(std::move(state)) {}
Identity::~Identity() = default;

Result<std::unique_ptr<Identity>> Identity::open(state::Store &store, crypto::SealingKey sealing,
						 WallClock now_ms, const std::string &import_path)
{
	auto state = std::make_unique<State>(store, std::move(sealing), now_ms);
	if (auto prepared = state->keys.prepare(import_path); !prepared)
		return tl::unexpected(std::move(prepared.error()));
	return std::unique_ptr<Identity>(new Identity(std::move(state)));
}

Result<Subject> Identity::authenticate(const Credentials &credentials)
{
	const auto token = presented_token(credentials);
	if (!token)
		return tl::unexpected(token.error());
	const auto verified = state_->verifier.verify(*token);
	if (!verified && is_about_keyset(verified.error()))
		return fail(ErrorKind::unauthenticated, verified.error().what);
	if (!verified)
		return tl::unexpected(verified.error());
	state_->verifier.note_use(**verified);
	const Claims &claims = (*verified)->claims;
	return Subject{claims.subject, claims.service_account, claims.expires_s,
		       (*verified)->effective_roles};
}

Result<Subject> Identity::check_token(std::string_view token)
{
	const auto verified = state_->verifier.verify(token);
	if (!verified)
		return tl::unexpected(verified.error());
	state_->verifier.note_use(**verified);
	const Claims &claims = (*verified)->claims;
	return Subject{claims.subject, claims.service_account, claims.expires_s, claims.roles};
}

Result<std::vector<KeyInfo>> Identity::keys() const
{
	return state_->keys.keys();
}

Result<KeyInfo> Identity::rotate_key(const std::string &actor)
{
	return state_->keys.rotate(actor);
}

Result<> Identity::retire_key(const std::string &kid, const std::string &actor)
{
	return state_->keys.retire(kid, actor);
}

Result<std::string> Identity::mint(const MintRequest &request)
{
	const std::string_view sub = trimmed(std::string_view(request.sub));
	if (sub.empty())
		return fail(ErrorKind::invalid_argument, "sub is required");
	const std::int64_t ttl_s = request.ttl_s.value_or(default_ttl_s);
	if (ttl_s <= 0)
		return fail(ErrorKind::invalid_argument, "ttl must be positive");
	const std::int64_t now_s = state_->now_s();
	if (auto checked = parse_ttl(std::to_string(ttl_s), now_s); !checked)
		return tl::unexpected(std::move(checked.error()));
	Claims claims;
	claims.subject = sub;
	claims.token_id = crypto::random_uuid();
	claims.issued_s = now_s;
	claims.expires_s = now_s + ttl_s;
	claims.roles = normalised(request.roles);
	auto made = state_->keys.sign(claims, request.kid);
	if (!made)
		return tl::unexpected(std::move(made.error()));
	return std::move(made->text);
}

Result<std::vector<Account>> Identity::accounts() const
{
	const auto records = state_->book.accounts();
	if (!records)
		return tl::unexpected(records.error());
	std::vector<Account> out;
	for (const auto &record : *records)
		out.push_back(record.account);
	return out;
}

Result<Account> Identity::account(const std::string &id) const
{
	const auto found = state_->book.find_account(id);
	if (!found)
		return tl::unexpected(found.error());
	if (!*found)
		return fail(ErrorKind::not_found, "service account not found");
	return (*found)->account;
}

Result<Account> Identity::create_account(const AccountFields &fields, const std::string &actor)
{
	return state_->book.create(fields, actor);
}

Result<Account> Identity::update_account(const std::string &id, const AccountFields &fields,
					 const std::string &actor)
{
	return state_->book.update(id, fields, actor);
}

Result<Account> Identity::update_account_by_name(const AccountFields &fields, const std::string &actor)
{
	return state_->book.update_by_name(fields, actor);
}

Result<> Identity::disable_account(const std::string &id, const std::string &actor)
{
	return state_->book.disable(id, actor);
}

Result<std::vector<TokenMeta>> Identity::tokens(const std::string &account) const
{
	return state_->book.tokens(account);
}

Result<MintedToken> Identity::mint_token(const std::string &account, const TokenRequest &request,
					 const std::string &actor)
{
	for (int attempt = 0; attempt < rewrite_attempt_limit_count; attempt++) {
		const auto found = state_->book.find_account(account);
		if (!found)
			return tl::unexpected(found.error());
		if (!*found)
			return fail(ErrorKind::not_found, "service account not found");
		auto draft = draft_of(request, (*found)->account, actor, state_->now_ms());
		if (!draft)
			return tl::unexpected(std::move(draft.error()));
		auto made = state_->keys.sign(draft->claims, std::nullopt);
		if (!made)
			return tl::unexpected(std::move(made.error()));
		draft->record.meta.kid = made->kid;
		const auto added = state_->book.add_token(**found, draft->record, actor);
		if (added)
			return MintedToken{std::move(made->text), draft->record.meta};
		if (added.error().kind != ErrorKind::conflict)
			return tl::unexpected(added.error());
	}
	return fail(ErrorKind::conflict,
		    text("service account ", account, ": others keep changing it: try again"));
}

Result<> Identity::revoke_token(const std::string &account, const std::string &token,
				const std::string &actor)
{
	return state_->book.revoke(account, token, actor);
}

} // namespace neuwerk::identity
