// Secrets at rest: the envelope of spec/http-api §1.2.
#include "crypto/seal.h"
#include "crypto/crypto.h"

#include "base/text.h"

#include <boost/json.hpp>

#include <optional>
#include <utility>

namespace neuwerk::crypto {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::size_t salt_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::string_view info = "neuwerk-ca-envelope";

struct Parts {
	std::string kid, salt, nonce, ciphertext; // ciphertext ends with the tag
};

std::optional<std::string> member(const boost::json::object &object, std::string_view name)
{
	const auto *value = object.if_contains(name);
	if (!value || !value->is_string())
		return std::nullopt;
	return std::string(value->get_string());
}

std::optional<Parts> parts_of(std::string_view envelope)
{
	boost::system::error_code error;
	const auto parsed = boost::json::parse(envelope, error);
	if (error || !parsed.is_object())
		return std::nullopt;
	Parts parts;
	const auto kid = member(parsed.get_object(), "kid");
	if (!kid)
		return std::nullopt;
	parts.kid = *kid;
	for (const auto &[name, into] : {std::pair{"salt", &parts.salt}, std::pair{"nonce", &parts.nonce},
					 std::pair{"ciphertext", &parts.ciphertext}}) {
		const auto encoded = member(parsed.get_object(), name);
		auto decoded = encoded ? from_base64(*encoded) : fail(ErrorKind::corrupt, name);
		if (!decoded)
			return std::nullopt;
		*into = std::move(*decoded);
	}
	if (parts.salt.size() != salt_bytes || parts.nonce.size() != nonce_bytes ||
	    parts.ciphertext.size() < tag_bytes)
		return std::nullopt;
	return parts;
}

} // namespace

std::string seal(const SealingKey &key, std::string_view secret)
{
	const std::string salt = random_bytes(salt_bytes);
	const std::string nonce = random_bytes(nonce_bytes);
	const std::string ciphertext =
		aead_seal(hkdf_sha256(salt, key.secret, info, secret_bytes), nonce, {}, secret);
	return boost::json::serialize(boost::json::object{{"kid", key.kid},
							  {"salt", to_base64(salt)},
							  {"nonce", to_base64(nonce)},
							  {"ciphertext", to_base64(ciphertext)}});
}

Result<std::string> unseal(const SealingKey &key, std::string_view envelope)
{
	const auto parts = parts_of(envelope);
	if (!parts)
		return fail(ErrorKind::corrupt,
			    "sealed secret: its envelope is not one of ours: altered bytes");
	if (parts->kid != key.kid)
		return fail(ErrorKind::corrupt, text("sealed secret: sealed with key ", parts->kid,
						     ", not with ", key.kid, ": another secret.key"));
	auto plain = aead_open(hkdf_sha256(parts->salt, key.secret, info, secret_bytes), parts->nonce, {},
			       parts->ciphertext);
	if (!plain)
		return fail(ErrorKind::corrupt, text("sealed secret: does not open with key ", key.kid,
						     ": another secret.key, or altered bytes"));
	return std::move(*plain);
}

} // namespace neuwerk::crypto
