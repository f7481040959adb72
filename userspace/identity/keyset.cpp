// The key set as JSON, and what rotating and retiring make of it.
#include "identity/keyset.h"

#include "base/text.h"
#include "identity/identity.h"
#include "identity/json.h"

#include <algorithm>

namespace neuwerk::identity {

namespace {

namespace json = boost::json;

constexpr std::size_t public_key_bytes = 32;

tl::unexpected<Error> damaged(std::string_view why)
{
	return fail(ErrorKind::corrupt, text("api auth keyset: ", why));
}

// How the member `private_key` becomes an envelope: kept, or sealed first.
using ReadPrivate = Result<std::string> (*)(const json::value &, const crypto::SealingKey *);

Result<std::string> keep_envelope(const json::value &value, const crypto::SealingKey *)
{
	if (!value.is_object())
		return damaged("private_key is not sealed");
	return json::serialize(value);
}

Result<std::string> seal_clear(const json::value &value, const crypto::SealingKey *sealing)
{
	if (!value.is_string())
		return damaged("private_key is no string");
	const auto der = crypto::from_base64(value.get_string());
	if (!der)
		return damaged(text("private_key: ", der.error().what));
	if (const auto trial = crypto::sign(*der, ""); !trial)
		return damaged(text("private_key: ", trial.error().what));
	return crypto::seal(*sealing, *der);
}

Result<Key> read_key(const json::value &value, ReadPrivate read_private, const crypto::SealingKey *sealing)
{
	if (!value.is_object())
		return damaged("a key is no object");
	const auto &object = value.get_object();
	const auto kid = text_member(object, "kid");
	const auto created_at = text_member(object, "created_at");
	const auto status = text_member(object, "status");
	const auto encoded = text_member(object, "public_key");
	if (!kid || kid->empty() || !created_at || !encoded)
		return damaged("a key lacks kid, created_at or public_key");
	if (status != "active" && status != "retired")
		return damaged(text("key ", *kid, ": status is neither active nor retired"));
	auto public_key = crypto::from_base64(*encoded);
	if (!public_key || public_key->size() != public_key_bytes)
		return damaged(text("key ", *kid, ": public_key is not 32 bytes in base64"));
	Key key{*kid, std::move(*public_key), "", *created_at, status == "retired"};
	if (const auto *sealed = member(object, "private_key")) {
		auto envelope = read_private(*sealed, sealing);
		if (!envelope)
			return tl::unexpected(std::move(envelope.error()));
		key.sealed_private = std::move(*envelope);
	}
	return key;
}

Result<KeySet> read_keyset(std::string_view text_of_set, ReadPrivate read_private,
			   const crypto::SealingKey *sealing)
{
	const auto object = object_of(text_of_set);
	if (!object)
		return damaged("not a JSON object");
	const auto active_kid = text_member(*object, "active_kid");
	const auto *list = member(*object, "keys");
	if (!active_kid || !list || !list->is_array())
		return damaged("active_kid or keys is missing");
	KeySet keys{*active_kid, {}};
	for (const auto &value : list->get_array()) {
		auto key = read_key(value, read_private, sealing);
		if (!key)
			return tl::unexpected(std::move(key.error()));
		if (keys.find(key->kid))
			return damaged(text("key ", key->kid, " stands twice"));
		keys.keys.push_back(std::move(*key));
	}
	const Key *active = keys.find(keys.active_kid);
	if (!active || active->retired)
		return damaged(text("the signing key ", keys.active_kid, " is missing or retired"));
	return keys;
}

} // namespace

const Key *KeySet::find(std::string_view kid) const
{
	const auto found = std::ranges::find(keys, kid, &Key::kid);
	return found == keys.end() ? nullptr : &*found;
}

Key *KeySet::find(std::string_view kid)
{
	return const_cast<Key *>(std::as_const(*this).find(kid));
}

Result<KeySet> parse_keyset(std::string_view json)
{
	return read_keyset(json, keep_envelope, nullptr);
}

Result<KeySet> import_keyset(std::string_view json, const crypto::SealingKey &sealing)
{
	return read_keyset(json, seal_clear, &sealing);
}

std::string to_json(const KeySet &keys)
{
	json::array list;
	for (const auto &key : keys.keys)
		list.push_back(json::object{
			{"kid", key.kid},
			{"public_key", crypto::to_base64(key.public_key)},
			{"private_key",
			 key.sealed_private.empty() ? json::value() : json::parse(key.sealed_private)},
			{"created_at", key.created_at},
			{"status", key.retired ? "retired" : "active"},
		});
	return json::serialize(json::object{{"active_kid", keys.active_kid}, {"keys", std::move(list)}});
}

Key create_key(const crypto::SealingKey &sealing, std::string created_at)
{
	auto made = crypto::generate_signing_key();
	return {crypto::random_uuid(), std::move(made.public_key), crypto::seal(sealing, made.private_pkcs8),
		std::move(created_at)};
}

Result<> rotate_to(KeySet &keys, Key key)
{
	if (keys.keys.size() >= key_limit_count) {
		const auto oldest = std::ranges::find(keys.keys, true, &Key::retired);
		if (oldest == keys.keys.end())
			return fail(ErrorKind::resource_exhausted,
				    text("signing keys: ", key_limit_count,
					 " are in use, the most there may be: retire one first"));
		keys.keys.erase(oldest);
	}
	keys.active_kid = key.kid;
	keys.keys.push_back(std::move(key));
	return {};
}

Result<> retire(KeySet &keys, std::string_view kid)
{
	Key *key = keys.find(kid);
	if (!key)
		return fail(ErrorKind::not_found, text("unknown kid ", kid));
	if (kid == keys.active_kid)
		return fail(ErrorKind::conflict, "cannot retire active signing key");
	key->retired = true;
	return {};
}

} // namespace neuwerk::identity
