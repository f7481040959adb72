// The signing keys in the Store.
#include "identity/key_ring.h"

#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "identity/account_book.h"

#include <utility>

namespace neuwerk::identity {

namespace {

constexpr const char *own_actor = "neuwerkd";

KeyInfo info_of(const Key &key, const KeySet &keys)
{
	return {key.kid, key.public_key, key.created_at, !key.retired, key.kid == keys.active_kid};
}

} // namespace

KeyRing::KeyRing(state::Store &store, crypto::SealingKey sealing, WallClock now_ms)
    : store_(store), sealing_(std::move(sealing)), now_ms_(std::move(now_ms))
{
}

Result<StoredKeySet> load_keyset(const state::Store &store)
{
	const auto record = store.get(keyset_key);
	if (!record)
		return fail(ErrorKind::unavailable, text("api auth keyset: ", record.error().what));
	if (!*record)
		return fail(ErrorKind::unavailable, "missing api auth keyset");
	auto keys = parse_keyset((*record)->value);
	if (!keys)
		return tl::unexpected(std::move(keys.error()));
	return StoredKeySet{std::move(*keys), (*record)->revision};
}

Result<KeySet> KeyRing::first_keyset(const std::string &import_path) const
{
	SystemFiles files;
	const auto found = import_path.empty() ? fail(ErrorKind::not_found, "") : files.read(import_path);
	if (found) {
		auto keys = import_keyset(*found, sealing_);
		if (!keys)
			return fail(keys.error().kind, text("import ", import_path, ": ", keys.error().what));
		log::info(text("identity: imported ", keys->keys.size(), " signing keys from ", import_path,
			       "; the file is not read again"));
		return keys;
	}
	if (found.error().kind != ErrorKind::not_found)
		return tl::unexpected(found.error());
	KeySet keys;
	if (auto added = rotate_to(keys, create_key(sealing_, format_time(now_ms_()))); !added)
		return tl::unexpected(std::move(added.error()));
	return keys;
}

Result<> KeyRing::prepare(const std::string &import_path)
{
	const auto present = store_.get(keyset_key);
	if (!present)
		return tl::unexpected(present.error());
	if (!*present) {
		auto keys = first_keyset(import_path);
		if (!keys)
			return tl::unexpected(std::move(keys.error()));
		const std::string key(keyset_key);
		const auto written = store_.write(
			{{state::require(key, 0), state::put(key, to_json(*keys))}, own_actor, ""});
		if (!written && written.error().kind != ErrorKind::conflict)
			return tl::unexpected(written.error());
	}
	const auto stored = load_keyset(store_);
	if (!stored)
		return tl::unexpected(stored.error());
	// Tokens that exist still verify; only new ones need the private key, or a rotation.
	const Key *active = stored->keys.find(stored->keys.active_kid);
	if (!active->sealed_private.empty())
		if (const auto opened = crypto::unseal(sealing_, active->sealed_private); !opened)
			log::error(text("identity: signing key ", active->kid, ": ", opened.error().what,
					": no token can be minted before `neuwerkctl auth key rotate`"));
	return {};
}

Result<SignedToken> KeyRing::sign(const Claims &claims, const std::optional<std::string> &kid) const
{
	const auto stored = load_keyset(store_);
	if (!stored)
		return tl::unexpected(stored.error());
	const Key *key = stored->keys.find(kid.value_or(stored->keys.active_kid));
	if (!key)
		return fail(ErrorKind::not_found, "signing key not found");
	if (key->retired)
		return fail(ErrorKind::invalid_argument, "signing key is retired");
	if (key->sealed_private.empty())
		return fail(ErrorKind::invalid_argument, "signing key missing private material");
	const auto private_pkcs8 = crypto::unseal(sealing_, key->sealed_private);
	if (!private_pkcs8)
		return fail(private_pkcs8.error().kind,
			    text("signing key ", key->kid, ": ", private_pkcs8.error().what));
	auto printed = print_token(claims, key->kid, *private_pkcs8);
	if (!printed)
		return tl::unexpected(std::move(printed.error()));
	return SignedToken{std::move(*printed), key->kid};
}

Result<> KeyRing::change_keyset(const std::string &actor, const KeyChange &change)
{
	const std::string key(keyset_key);
	for (int attempt = 0; attempt < rewrite_attempt_limit_count; attempt++) {
		auto stored = load_keyset(store_);
		if (!stored)
			return tl::unexpected(std::move(stored.error()));
		if (Result<> changed = change(stored->keys); !changed)
			return changed;
		const auto written = store_.write(
			{{state::require(key, stored->revision), state::put(key, to_json(stored->keys))},
			 actor,
			 ""});
		if (written)
			return {};
		if (written.error().kind != ErrorKind::conflict)
			return tl::unexpected(written.error());
	}
	return fail(ErrorKind::conflict, "signing keys: others keep changing them: try again");
}

Result<std::vector<KeyInfo>> KeyRing::keys() const
{
	const auto stored = load_keyset(store_);
	if (!stored)
		return tl::unexpected(stored.error());
	std::vector<KeyInfo> out;
	for (const auto &key : stored->keys.keys)
		out.push_back(info_of(key, stored->keys));
	return out;
}

Result<KeyInfo> KeyRing::rotate(const std::string &actor)
{
	const Key key = create_key(sealing_, format_time(now_ms_()));
	const auto rotated = change_keyset(actor, [&](KeySet &keys) { return rotate_to(keys, key); });
	if (!rotated)
		return tl::unexpected(rotated.error());
	return KeyInfo{key.kid, key.public_key, key.created_at, true, true};
}

Result<> KeyRing::retire(const std::string &kid, const std::string &actor)
{
	return change_keyset(actor, [&](KeySet &keys) { return identity::retire(keys, kid); });
}

} // namespace neuwerk::identity
