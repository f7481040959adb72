// OpenSSL's objects as values that free themselves, for the files of crypto/ only.
#pragma once

#include "base/result.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace neuwerk::crypto {

template <auto free_function>
struct FreeBy {
	template <typename Object>
	void operator()(Object *object) const
	{
		free_function(object);
	}
};

using PkeyPtr = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using MdContextPtr = std::unique_ptr<EVP_MD_CTX, FreeBy<EVP_MD_CTX_free>>;
using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeBy<EVP_CIPHER_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, FreeBy<X509_free>>;
using BioPtr = std::unique_ptr<BIO, FreeBy<BIO_free_all>>;

[[nodiscard]] inline const unsigned char *bytes_of(std::string_view text)
{
	return reinterpret_cast<const unsigned char *>(text.data());
}
[[nodiscard]] inline unsigned char *bytes_of(std::string &text)
{
	return reinterpret_cast<unsigned char *>(text.data());
}

// Takes OpenSSL's newest reason off this thread's queue and empties it.
[[nodiscard]] std::string last_reason();

// For calls that fail only when memory or randomness is gone: says which call, and stops the process.
[[noreturn]] void stop_without(std::string_view what);

[[nodiscard]] BioPtr bio_of(std::string_view bytes); // reads `bytes`, which must outlive it
[[nodiscard]] std::string text_of(BIO *bio);         // what was written to a memory BIO

// Any private key, PEM or DER. An encrypted one fails: nobody is there to type its password.
[[nodiscard]] Result<PkeyPtr> private_key_of_pem(std::string_view pem);
[[nodiscard]] Result<PkeyPtr> private_key_of_der(std::string_view der);
[[nodiscard]] Result<X509Ptr> certificate_of_pem(std::string_view pem);

[[nodiscard]] std::string pkcs8_pem(EVP_PKEY *key);
[[nodiscard]] std::string pkcs8_der(EVP_PKEY *key);

} // namespace neuwerk::crypto
