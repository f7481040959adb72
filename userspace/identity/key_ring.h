// The signing keys of the Store: created or imported once, rotated, retired, signed with.
#pragma once

#include "identity/identity.h"
#include "identity/keyset.h"
#include "identity/token.h"

#include <functional>
#include <optional>
#include <string>

namespace neuwerk::identity {

inline constexpr std::string_view keyset_key = "auth/api_keys";

// The key set as it stands. unavailable: there is none, or the Store cannot be read; corrupt: it does not
// parse.
struct StoredKeySet {
	KeySet keys;
	std::uint64_t revision;
};
[[nodiscard]] Result<StoredKeySet> load_keyset(const state::Store &store);

struct SignedToken {
	std::string text;
	std::string kid;
};

// Safe from every thread.
class KeyRing {
public:
	KeyRing(state::Store &store, crypto::SealingKey sealing, WallClock now_ms);

	// Where there is no key set: imports the reference-style file, or creates a key. A file that does not
	// parse is an error, never replaced by a new key in silence.
	[[nodiscard]] Result<> prepare(const std::string &import_path);

	[[nodiscard]] Result<std::vector<KeyInfo>> keys() const;
	[[nodiscard]] Result<KeyInfo> rotate(const std::string &actor);
	[[nodiscard]] Result<> retire(const std::string &kid, const std::string &actor);

	// With the key `kid`, or else the one that signs. Errors are those of minting, spec/http-api §3.3.
	[[nodiscard]] Result<SignedToken> sign(const Claims &claims,
					       const std::optional<std::string> &kid) const;

private:
	using KeyChange = std::function<Result<>(KeySet &)>;

	[[nodiscard]] Result<KeySet> first_keyset(const std::string &import_path) const;
	// Reads, changes and writes the key set; once more when somebody else was faster.
	[[nodiscard]] Result<> change_keyset(const std::string &actor, const KeyChange &change);

	state::Store &store_;
	crypto::SealingKey sealing_;
	WallClock now_ms_;
};

} // namespace neuwerk::identity
