// The order of questions that a token has to answer.
#include "identity/verifier.h"

#include "identity/spelling.h"

#include <algorithm>
#include <utility>

namespace neuwerk::identity {

namespace {

tl::unexpected<Error> refuse(std::string_view what)
{
	return fail(ErrorKind::unauthenticated, std::string(what));
}

Result<> check_stored_expiry(const Verified &verified, std::int64_t now_s)
{
	if (verified.stored_expires_s && *verified.stored_expires_s < now_s - clock_skew_s)
		return refuse("token expired");
	return {};
}

// What the account allows now, against what the token was given, against what it claims.
Result<> check_roles(const Account &account, const TokenMeta &token, const Claims &claims)
{
	if (token.role == Role::admin && account.role != Role::admin)
		return refuse("token role exceeds current account role");
	bool claims_admin = false;
	for (const auto &claimed : claims.roles) {
		const auto role = parse_role(lower(claimed));
		if (!role)
			return refuse("invalid service account role claim");
		claims_admin = claims_admin || *role == Role::admin;
	}
	if (claims_admin && token.role != Role::admin)
		return refuse("jwt role exceeds stored token role");
	return {};
}

} // namespace

Verifier::Verifier(state::Store &store, AccountBook &book, WallClock now_ms)
    : store_(store), book_(book), now_ms_(std::move(now_ms)), remembered_(std::make_shared<VerifiedTokens>())
{
	watch_ = store_.watch("auth/", [remembered = remembered_](const std::vector<state::Change> &changes) {
		// Noting that a token was used changes nothing about any token.
		if (!std::ranges::all_of(changes,
					 [](const auto &c) { return c.key.starts_with(use_prefix); }))
			remembered->forget_all();
	});
}

Result<VerifiedPtr> Verifier::verify(std::string_view text)
{
	const std::int64_t now_s = now_ms_() / 1000;
	const std::string digest = crypto::sha256(text);
	VerifiedPtr verified = remembered_->find(digest);
	if (!verified) {
		const auto epoch = remembered_->epoch();
		auto fresh = verify_anew(text, now_s);
		if (!fresh)
			return fresh;
		remembered_->remember(digest, epoch, *fresh);
		return fresh;
	}
	if (auto timely = check_times(verified->claims, now_s); !timely)
		return tl::unexpected(std::move(timely.error()));
	if (auto timely = check_stored_expiry(*verified, now_s); !timely)
		return tl::unexpected(std::move(timely.error()));
	return verified;
}

Result<VerifiedPtr> Verifier::verify_anew(std::string_view text, std::int64_t now_s)
{
	const auto stored = load_keyset(store_);
	if (!stored)
		return tl::unexpected(stored.error());
	auto token = parse_token(text);
	if (!token)
		return tl::unexpected(std::move(token.error()));
	if (auto checked = check_token(*token, stored->keys); !checked)
		return tl::unexpected(std::move(checked.error()));
	if (auto timely = check_times(token->claims, now_s); !timely)
		return tl::unexpected(std::move(timely.error()));
	auto verified = std::make_shared<Verified>();
	verified->claims = std::move(token->claims);
	verified->effective_roles = verified->claims.roles;
	if (verified->claims.service_account) {
		if (auto checked = check_service_account(*verified); !checked)
			return tl::unexpected(std::move(checked.error()));
		if (auto timely = check_stored_expiry(*verified, now_s); !timely)
			return tl::unexpected(std::move(timely.error()));
	}
	return verified;
}

Result<> Verifier::check_service_account(Verified &verified) const
{
	const Claims &claims = verified.claims;
	const auto account_id = crypto::canonical_uuid(*claims.service_account);
	if (!account_id)
		return refuse("invalid service account id");
	if (claims.subject != *account_id)
		return refuse("jwt sub does not match service account");
	const auto token_id = crypto::canonical_uuid(claims.token_id);
	if (!token_id)
		return refuse("invalid token id");
	const auto token = book_.find_token(*token_id);
	if (!token)
		return tl::unexpected(token.error());
	if (!*token)
		return refuse("token not found");
	const TokenMeta &meta = (*token)->meta;
	if (meta.service_account_id != *account_id)
		return refuse("token does not belong to service account");
	if (meta.revoked_at)
		return refuse("token revoked");
	const auto account = book_.find_account(*account_id);
	if (!account)
		return tl::unexpected(account.error());
	if (!*account)
		return refuse("service account not found");
	if (!(*account)->account.enabled)
		return refuse("service account disabled");
	if (auto allowed = check_roles((*account)->account, meta, claims); !allowed)
		return allowed;
	if ((*token)->expires_s && !claims.expires_s)
		return refuse("missing jwt exp");
	const auto used_s = book_.last_used_s(*token_id);
	if (!used_s)
		return tl::unexpected(used_s.error());
	verified.claims.token_id = *token_id;
	verified.stored_expires_s = (*token)->expires_s;
	verified.effective_roles = {std::string(name(meta.role))};
	verified.noted_use_s = used_s->value_or(0);
	return {};
}

void Verifier::note_use(const Verified &verified)
{
	if (!verified.claims.service_account)
		return;
	const std::int64_t now_s = now_ms_() / 1000;
	std::int64_t noted_s = verified.noted_use_s.load();
	if (noted_s != 0 && now_s - noted_s < use_refresh_s)
		return;
	if (verified.noted_use_s.compare_exchange_strong(noted_s, now_s)) // one of many requests at once
		book_.note_use(verified.claims.token_id, now_s);
}

} // namespace neuwerk::identity
