// HKDF-SHA256 and ChaCha20-Poly1305 over OpenSSL.
#include "crypto/openssl.h"
#include "crypto/seal.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include <array>

namespace neuwerk::crypto {

namespace {

constexpr std::size_t tag_bytes = 16;

using KdfPtr = std::unique_ptr<EVP_KDF, FreeBy<EVP_KDF_free>>;
using KdfContextPtr = std::unique_ptr<EVP_KDF_CTX, FreeBy<EVP_KDF_CTX_free>>;

OSSL_PARAM octets(const char *name, std::string_view bytes)
{
	return OSSL_PARAM_construct_octet_string(name, const_cast<char *>(bytes.data()), bytes.size());
}

} // namespace

std::string hkdf_sha256(std::string_view salt, std::string_view key, std::string_view context,
			std::size_t count)
{
	const KdfPtr kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
	const KdfContextPtr derivation(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
	std::string hash = "SHA256";
	const std::array parameters = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash.data(), 0),
		octets(OSSL_KDF_PARAM_KEY, key),
		octets(OSSL_KDF_PARAM_SALT, salt),
		octets(OSSL_KDF_PARAM_INFO, context),
		OSSL_PARAM_construct_end(),
	};
	std::string derived(count, '\0');
	if (!derivation || EVP_KDF_derive(derivation.get(), bytes_of(derived), count, parameters.data()) != 1)
		stop_without("HKDF");
	return derived;
}

std::string aead_seal(std::string_view key, std::string_view nonce, std::string_view associated,
		      std::string_view plain)
{
	const CipherContextPtr context(EVP_CIPHER_CTX_new());
	std::string sealed(plain.size() + tag_bytes, '\0');
	int count = 0;
	if (!context ||
	    !EVP_EncryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, bytes_of(key),
				bytes_of(nonce)) ||
	    !EVP_EncryptUpdate(context.get(), nullptr, &count, bytes_of(associated),
			       static_cast<int>(associated.size())) ||
	    !EVP_EncryptUpdate(context.get(), bytes_of(sealed), &count, bytes_of(plain),
			       static_cast<int>(plain.size())) ||
	    !EVP_EncryptFinal_ex(context.get(), bytes_of(sealed) + plain.size(), &count) ||
	    !EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes,
				 sealed.data() + plain.size()))
		stop_without("ChaCha20-Poly1305");
	return sealed;
}

std::optional<std::string> aead_open(std::string_view key, std::string_view nonce,
				     std::string_view associated, std::string_view sealed)
{
	if (sealed.size() < tag_bytes)
		return std::nullopt;
	const std::size_t plain_bytes = sealed.size() - tag_bytes;
	std::string tag(sealed.substr(plain_bytes));
	std::string plain(plain_bytes, '\0');
	const CipherContextPtr context(EVP_CIPHER_CTX_new());
	int count = 0;
	if (!context ||
	    !EVP_DecryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, bytes_of(key),
				bytes_of(nonce)) ||
	    !EVP_DecryptUpdate(context.get(), nullptr, &count, bytes_of(associated),
			       static_cast<int>(associated.size())) ||
	    !EVP_DecryptUpdate(context.get(), bytes_of(plain), &count, bytes_of(sealed),
			       static_cast<int>(plain_bytes)) ||
	    !EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()))
		stop_without("ChaCha20-Poly1305");
	if (EVP_DecryptFinal_ex(context.get(), bytes_of(plain) + plain_bytes, &count) != 1) {
		(void)last_reason();
		return std::nullopt;
	}
	return plain;
}

} // namespace neuwerk::crypto
