// A token as bytes: reading it, checking it against the key set and the clock, printing it. Pure.
//
// JWS compact (RFC 7515) with Ed25519 (RFC 8037), spec/http-api §3.2; every error is unauthenticated and has
// its message from there.
#pragma once

#include "base/result.h"
#include "identity/keyset.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::identity {

inline constexpr std::int64_t clock_skew_s = 60;

struct Claims {
	std::string issuer, audience, subject, token_id; // empty: the claim is missing
	std::optional<std::int64_t> expires_s;
	std::int64_t issued_s = 0;
	std::optional<std::string> service_account;
	std::vector<std::string> roles;
};

struct Token {
	std::string algorithm, kid;
	Claims claims;
	std::string_view signed_part; // of the text that was parsed
	std::string signature;
};

[[nodiscard]] Result<Token> parse_token(std::string_view text);

// Algorithm, key, signature, issuer, audience, sub and jti, in this order.
[[nodiscard]] Result<> check_token(const Token &token, const KeySet &keys);
// What the passing of time changes; to be asked again on every use.
[[nodiscard]] Result<> check_times(const Claims &claims, std::int64_t now_s);

// issuer and audience are ours, whatever `claims` says.
[[nodiscard]] Result<std::string> print_token(const Claims &claims, std::string_view kid,
					      std::string_view private_pkcs8);

} // namespace neuwerk::identity
