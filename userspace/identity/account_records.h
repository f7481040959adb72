// Service accounts and their tokens as records of the Store, JSON by key.
#pragma once

#include "base/result.h"
#include "identity/identity.h"
#include "state/state.h"

#include <cstdint>
#include <optional>
#include <string>

namespace neuwerk::identity {

inline constexpr std::string_view account_prefix = "auth/service-accounts/item/";
inline constexpr std::string_view token_prefix = "auth/service-accounts/tokens/item/";
// When a token was used last. A record of its own: refreshing it can never bring a revoked token back.
inline constexpr std::string_view use_prefix = "auth/service-accounts/tokens/used/";

struct AccountRecord {
	Account account;
	std::int64_t sequence = 0;  // orders by creation, where two have the same created_at too
	std::uint64_t revision = 0; // of the Store; 0: not written yet
};

struct TokenRecord {
	TokenMeta meta; // without last_used_at
	std::optional<std::int64_t> expires_s;
	std::int64_t sequence = 0;
	std::uint64_t revision = 0;
};

// Fail with corrupt, naming the key.
[[nodiscard]] Result<AccountRecord> account_of(const state::Record &record);
[[nodiscard]] Result<TokenRecord> token_of(const state::Record &record);

[[nodiscard]] std::string to_json(const AccountRecord &record);
[[nodiscard]] std::string to_json(const TokenRecord &record);

[[nodiscard]] std::string account_key(std::string_view id);
[[nodiscard]] std::string token_key(std::string_view id);
[[nodiscard]] std::string use_key(std::string_view token_id);

// The record under use_key().
struct Use {
	std::int64_t at_s; // Unix time
};
[[nodiscard]] std::optional<Use> use_of(const state::Record &record);
[[nodiscard]] std::string to_json(Use use);

} // namespace neuwerk::identity
