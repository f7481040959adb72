// Ed25519 (RFC 8032) over OpenSSL.
#include "crypto/crypto.h"
#include "crypto/openssl.h"

#include "base/text.h"

namespace neuwerk::crypto {

namespace {

constexpr std::size_t public_key_bytes = 32;
constexpr std::size_t signature_bytes = 64;

} // namespace

SigningKey generate_signing_key()
{
	const PkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
	SigningKey made;
	made.public_key.resize(public_key_bytes);
	std::size_t count = public_key_bytes;
	if (!key || !EVP_PKEY_get_raw_public_key(key.get(), bytes_of(made.public_key), &count))
		stop_without("EVP_PKEY_Q_keygen ED25519");
	made.private_pkcs8 = pkcs8_der(key.get());
	return made;
}

Result<std::string> sign(std::string_view private_pkcs8, std::string_view message)
{
	auto key = private_key_of_der(private_pkcs8);
	if (!key)
		return tl::unexpected(std::move(key.error()));
	if (!EVP_PKEY_is_a(key->get(), "ED25519"))
		return fail(ErrorKind::invalid_argument, "signing key: it is not an Ed25519 key");
	const MdContextPtr context(EVP_MD_CTX_new());
	std::string signature(signature_bytes, '\0');
	std::size_t count = signature_bytes;
	if (!context || !EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key->get()) ||
	    !EVP_DigestSign(context.get(), bytes_of(signature), &count, bytes_of(message), message.size()))
		return fail(ErrorKind::internal, text("sign: Ed25519: ", last_reason()));
	return signature;
}

bool verify(std::string_view public_key, std::string_view message, std::string_view signature)
{
	if (public_key.size() != public_key_bytes || signature.size() != signature_bytes)
		return false;
	const PkeyPtr key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(public_key),
						      public_key.size()));
	const MdContextPtr context(EVP_MD_CTX_new());
	const bool is_genuine =
		key && context &&
		EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
		EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
				 message.size()) == 1;
	if (!is_genuine)
		(void)last_reason(); // nobody reads the queue for a bad signature
	return is_genuine;
}

} // namespace neuwerk::crypto
