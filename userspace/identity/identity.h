// Front door of identity/: who is asking, and may they? Tokens, keys, service accounts, roles.
//
// Everything lies in the Store under auth/; private keys are sealed. Safe from every thread.
#pragma once

#include "base/result.h"
#include "crypto/crypto.h"
#include "state/state.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::identity {

using WallClock = std::function<std::int64_t()>; // Unix time in milliseconds

// A verified caller.
struct Subject {
	std::string sub;
	std::optional<std::string> service_account; // sa_id
	std::optional<std::int64_t> expires_s;
	std::vector<std::string> roles; // effective
	[[nodiscard]] bool is_admin() const;
};

// What the request carried; both as the header fields stand, nullopt when absent.
struct Credentials {
	std::optional<std::string_view> authorization;
	std::optional<std::string_view> cookie;
};

struct KeyInfo {
	std::string kid;
	std::string public_key; // 32 bytes
	std::string created_at; // RFC 3339
	bool active;            // false: retired
	bool signing;           // mints new tokens
};

struct MintRequest {
	std::string sub;
	std::optional<std::int64_t> ttl_s; // default 90 days
	std::optional<std::string> kid;    // default: the signing key
	std::vector<std::string> roles;
};

enum class Role { readonly, admin };
[[nodiscard]] std::string_view name(Role role);
[[nodiscard]] std::optional<Role> parse_role(std::string_view text); // exactly "readonly" or "admin"

struct Account {
	std::string id, name;
	std::optional<std::string> description;
	std::string created_at, created_by;
	Role role;
	bool enabled;
};
struct AccountFields {
	std::string name;
	std::optional<std::string> description;
	Role role;
};
struct TokenMeta {
	std::string id, service_account_id;
	std::optional<std::string> name;
	std::string created_at, created_by;
	std::optional<std::string> expires_at, revoked_at, last_used_at;
	std::string kid;
	Role role;
};
struct TokenRequest {
	std::optional<std::string> name;
	std::optional<std::string> ttl; // as spec §5.6 writes it: "30d"
	bool eternal = false;
	std::optional<Role> role;
};
struct MintedToken {
	std::string token; // shown once, stored nowhere
	TokenMeta meta;
};

// "90", "30s", "15m", "12h", "7d" in seconds; blank: the default. Errors are those of spec/http-api §5.6;
// also refused is what ends after the year 9999.
inline constexpr std::int64_t default_ttl_s = 7'776'000; // 90 days
[[nodiscard]] Result<std::int64_t> parse_ttl(std::string_view text, std::int64_t now_s);
[[nodiscard]] std::string format_time(std::int64_t unix_ms); // RFC 3339, UTC, trailing zeros trimmed

class Identity {
public:
	// Creates the key set where there is none; imports a reference-style <tls_dir>/api-auth.json once.
	[[nodiscard]] static Result<std::unique_ptr<Identity>> open(state::Store &store,
								    crypto::SealingKey sealing,
								    WallClock now_ms,
								    const std::string &import_path);
	~Identity();

	// Every error is unauthenticated, with the messages and the order of spec/http-api §3.2. A token that
	// was verified before costs microseconds, until something under auth/ changes.
	[[nodiscard]] Result<Subject> authenticate(const Credentials &credentials);
	// The token of POST /auth/token-login; `roles` echoes the claim. Errors that are not unauthenticated:
	// the key set cannot be read.
	[[nodiscard]] Result<Subject> check_token(std::string_view token);

	[[nodiscard]] Result<std::vector<KeyInfo>> keys() const;
	[[nodiscard]] Result<KeyInfo> rotate_key(const std::string &actor);
	[[nodiscard]] Result<> retire_key(const std::string &kid, const std::string &actor);
	[[nodiscard]] Result<std::string> mint(const MintRequest &request);

	[[nodiscard]] Result<std::vector<Account>> accounts() const; // in creation order, disabled ones too
	[[nodiscard]] Result<Account> account(const std::string &id) const;
	[[nodiscard]] Result<Account> create_account(const AccountFields &fields, const std::string &actor);
	[[nodiscard]] Result<Account> update_account(const std::string &id, const AccountFields &fields,
						     const std::string &actor);
	// PUT /service-accounts/ without an id, spec §12.2: the one active account of that name.
	[[nodiscard]] Result<Account> update_account_by_name(const AccountFields &fields,
							     const std::string &actor);
	[[nodiscard]] Result<> disable_account(const std::string &id, const std::string &actor);
	[[nodiscard]] Result<std::vector<TokenMeta>> tokens(const std::string &account) const;
	[[nodiscard]] Result<MintedToken> mint_token(const std::string &account, const TokenRequest &request,
						     const std::string &actor);
	[[nodiscard]] Result<> revoke_token(const std::string &account, const std::string &token,
					    const std::string &actor);

private:
	struct State;
	explicit Identity(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

// The label of http_auth_total (spec §3.5) for an error of authenticate(): missing_token, invalid_scheme,
// keyset_error or invalid_token.
[[nodiscard]] std::string_view denial_reason(const Error &error);

// Limits. What cannot be used any more (revoked, expired, disabled, retired) makes room, oldest first.
inline constexpr std::size_t key_limit_count = 64;
inline constexpr std::size_t account_limit_count = 4096;
inline constexpr std::size_t token_limit_count = 16'384;
inline constexpr std::size_t name_limit_bytes = 1024;
inline constexpr std::size_t description_limit_bytes = 4096;
inline constexpr std::size_t verified_limit_count = 8192; // tokens whose verification is remembered

// Refuses a client that keeps presenting a bad token: 20 failures in 60 s block it for 120 s (spec §5.2).
class LoginLimiter {
public:
	static constexpr std::size_t bucket_limit_count = 4096;
	static constexpr int failure_limit_count = 20;
	explicit LoginLimiter(std::function<std::int64_t()> now_ms); // monotonic
	~LoginLimiter();
	[[nodiscard]] bool allows(const std::string &peer, std::string_view token);
	void failed(const std::string &peer, std::string_view token);
	void succeeded(const std::string &peer, std::string_view token);

private:
	struct State;
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::identity
