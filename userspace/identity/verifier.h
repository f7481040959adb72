// Decides whether a token is good now: signature and claims, then the service account behind it.
#pragma once

#include "identity/account_book.h"
#include "identity/key_ring.h"
#include "identity/verified_tokens.h"

#include <memory>
#include <string_view>

namespace neuwerk::identity {

inline constexpr std::int64_t use_refresh_s = 60; // last_used_at is at most this old while a token is in use

// Safe from every thread.
class Verifier {
public:
	Verifier(state::Store &store, AccountBook &book, WallClock now_ms);

	// The errors and their order are those of spec/http-api §3.2; unauthenticated, or what load_keyset
	// says.
	[[nodiscard]] Result<VerifiedPtr> verify(std::string_view text);
	// Refreshes last_used_at of a service account's token, where it is due.
	void note_use(const Verified &verified);

private:
	[[nodiscard]] Result<VerifiedPtr> verify_anew(std::string_view text, std::int64_t now_s);
	[[nodiscard]] Result<> check_service_account(Verified &verified) const;

	state::Store &store_;
	AccountBook &book_;
	WallClock now_ms_;
	std::shared_ptr<VerifiedTokens> remembered_; // the watch has a share
	std::shared_ptr<state::Store::Watch> watch_;
};

} // namespace neuwerk::identity
