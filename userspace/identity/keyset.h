// The keys that sign and verify tokens, as the record auth/api_keys holds them (spec/http-api §3.3).
#pragma once

#include "base/result.h"
#include "crypto/crypto.h"

#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::identity {

struct Key {
	std::string kid;
	std::string public_key;     // 32 bytes
	std::string sealed_private; // envelope of the PKCS#8 DER; empty: this node never had it
	std::string created_at;     // RFC 3339
	bool retired = false;
};

struct KeySet {
	std::string active_kid; // signs new tokens
	std::vector<Key> keys;  // in order of creation; no kid twice

	[[nodiscard]] const Key *find(std::string_view kid) const;
	[[nodiscard]] Key *find(std::string_view kid);
};

// The record: JSON of §3.3 with an envelope where the reference keeps the private key in clear. Fails with
// corrupt and "api auth keyset: <why>".
[[nodiscard]] Result<KeySet> parse_keyset(std::string_view json);
[[nodiscard]] std::string to_json(const KeySet &keys);

// A reference-style api-auth.json; private keys are sealed on the way in.
[[nodiscard]] Result<KeySet> import_keyset(std::string_view json, const crypto::SealingKey &sealing);

[[nodiscard]] Key create_key(const crypto::SealingKey &sealing, std::string created_at);

// Adds the key and lets it sign. At key_limit_count the oldest retired key goes; resource_exhausted when none
// is retired.
[[nodiscard]] Result<> rotate_to(KeySet &keys, Key key);
// conflict: it signs; not_found: no such key. A retired key stays retired.
[[nodiscard]] Result<> retire(KeySet &keys, std::string_view kid);

} // namespace neuwerk::identity
