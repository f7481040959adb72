// Creating, changing and listing service accounts and tokens; no update of one caller undoes another's.
#pragma once

#include "identity/account_records.h"
#include "identity/turns.h"

#include <mutex>
#include <vector>

namespace neuwerk::identity {

// A writer that loses to others this many times in a row gives up with conflict.
inline constexpr int rewrite_attempt_limit_count = 64;

// Safe from every thread.
class AccountBook {
public:
	AccountBook(state::Store &store, WallClock now_ms);

	[[nodiscard]] Result<std::vector<AccountRecord>> accounts() const; // in creation order
	[[nodiscard]] Result<std::optional<AccountRecord>> find_account(std::string_view id) const;
	[[nodiscard]] Result<std::optional<TokenRecord>> find_token(std::string_view id) const;
	// In creation order, with last_used_at. An unknown account has none.
	[[nodiscard]] Result<std::vector<TokenMeta>> tokens(std::string_view account) const;
	[[nodiscard]] Result<std::optional<std::int64_t>> last_used_s(std::string_view token) const;

	[[nodiscard]] Result<Account> create(const AccountFields &fields, const std::string &actor);
	[[nodiscard]] Result<Account> update(const std::string &id, const AccountFields &fields,
					     const std::string &actor);
	[[nodiscard]] Result<Account> update_by_name(const AccountFields &fields, const std::string &actor);
	[[nodiscard]] Result<> disable(const std::string &id, const std::string &actor);

	// Keeps `token` unless `account` has changed since it was read: then conflict.
	[[nodiscard]] Result<> add_token(const AccountRecord &account, TokenRecord token,
					 const std::string &actor);
	[[nodiscard]] Result<> revoke(const std::string &account, const std::string &token,
				      const std::string &actor);
	// In the background; a failure is ignored (spec/http-api §14.18).
	void note_use(const std::string &token, std::int64_t at_s);

private:
	[[nodiscard]] Result<std::vector<TokenRecord>> all_tokens() const;
	// What must go so that one more record has a place, and what the youngest record has as its sequence.
	struct Room {
		std::vector<state::Operation> operations;
		std::int64_t last_sequence;
	};
	[[nodiscard]] Result<Room> room_for_account() const;
	[[nodiscard]] Result<Room> room_for_token() const;
	[[nodiscard]] std::int64_t next_sequence(const Room &room);

	state::Store &store_;
	WallClock now_ms_;
	// Held while an account is read and rewritten: requirements alone would let a stream of updates
	// starve the one call that disables the account.
	Turns rewriting_;
	std::mutex sequence_mutex_;
	std::int64_t last_sequence_ = 0;
};

} // namespace neuwerk::identity
