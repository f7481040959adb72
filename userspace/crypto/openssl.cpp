// Reading and writing OpenSSL's objects; its error queue as one line of text.
#include "crypto/openssl.h"

#include "base/log.h"
#include "base/text.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstdlib>

namespace neuwerk::crypto {

namespace {

// Without it OpenSSL would ask for the password on the terminal.
int no_password(char *, int, int, void *)
{
	return -1;
}

} // namespace

std::string last_reason()
{
	const unsigned long code = ERR_peek_last_error();
	ERR_clear_error();
	if (code == 0)
		return "no reason given";
	const char *reason = ERR_reason_error_string(code);
	return reason ? reason : text("OpenSSL error ", code);
}

void stop_without(std::string_view what)
{
	log::error(text("crypto: ", what, ": ", last_reason()));
	std::abort();
}

BioPtr bio_of(std::string_view bytes)
{
	BioPtr bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
	if (!bio)
		stop_without("BIO_new_mem_buf");
	return bio;
}

std::string text_of(BIO *bio)
{
	char *start = nullptr;
	const long count = BIO_get_mem_data(bio, &start);
	return {start, static_cast<std::size_t>(count)};
}

Result<PkeyPtr> private_key_of_pem(std::string_view pem)
{
	const BioPtr bio = bio_of(pem);
	PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
	if (!key)
		return fail(ErrorKind::invalid_argument, text("private key: PEM: ", last_reason()));
	return key;
}

Result<PkeyPtr> private_key_of_der(std::string_view der)
{
	const unsigned char *at = bytes_of(der);
	PkeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
	if (!key)
		return fail(ErrorKind::invalid_argument, text("private key: DER: ", last_reason()));
	return key;
}

Result<X509Ptr> certificate_of_pem(std::string_view pem)
{
	const BioPtr bio = bio_of(pem);
	X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
	if (!certificate)
		return fail(ErrorKind::invalid_argument, text("certificate: PEM: ", last_reason()));
	return certificate;
}

std::string pkcs8_pem(EVP_PKEY *key)
{
	const BioPtr bio(BIO_new(BIO_s_mem()));
	if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr))
		stop_without("PEM_write_bio_PKCS8PrivateKey");
	return text_of(bio.get());
}

std::string pkcs8_der(EVP_PKEY *key)
{
	const BioPtr bio(BIO_new(BIO_s_mem()));
	if (!bio || !i2d_PKCS8PrivateKey_bio(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr))
		stop_without("i2d_PKCS8PrivateKey_bio");
	return text_of(bio.get());
}

} // namespace neuwerk::crypto
