// X.509 v3 certificates as strict verifiers want them (RFC 5280 §4.2), and checks of those that we are given.
#include "crypto/crypto.h"
#include "crypto/openssl.h"

#include "base/text.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

namespace neuwerk::crypto {

namespace {

constexpr std::size_t serial_bytes = 20;          // RFC 5280 §4.1.2.2: at most 20 octets, positive
constexpr std::size_t common_name_limit = 64;     // X.520 ub-common-name
constexpr std::size_t dns_name_limit_bytes = 253; // RFC 1035 §2.3.4, as text

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, FreeBy<GENERAL_NAMES_free>>;
using GeneralNamePtr = std::unique_ptr<GENERAL_NAME, FreeBy<GENERAL_NAME_free>>;
using AddressPtr = std::unique_ptr<ASN1_OCTET_STRING, FreeBy<ASN1_OCTET_STRING_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeBy<X509_EXTENSION_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, FreeBy<BN_free>>;

void must(bool holds, std::string_view what)
{
	if (!holds)
		stop_without(what);
}

PkeyPtr generate_p256()
{
	PkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
	must(key != nullptr, "EVP_PKEY_Q_keygen P-256");
	return key;
}

void set_serial(X509 *certificate)
{
	std::string bytes = random_bytes(serial_bytes);
	bytes[0] = static_cast<char>((bytes[0] & 0x3f) | 0x40); // positive, and never shorter
	const BignumPtr number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
	must(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)),
	     "BN_to_ASN1_INTEGER");
}

Result<> set_subject(X509 *certificate, std::string_view common_name)
{
	if (common_name.empty() || common_name.size() > common_name_limit)
		return fail(ErrorKind::invalid_argument,
			    text("certificate: common name: ", common_name.size(), " bytes, not 1 to ",
				 common_name_limit));
	if (!X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8,
					bytes_of(common_name), static_cast<int>(common_name.size()), -1, 0))
		return fail(ErrorKind::invalid_argument, text("certificate: common name: ", last_reason()));
	return {};
}

Result<> set_validity(X509 *certificate, Validity validity)
{
	if (validity.until_s <= validity.from_s)
		return fail(ErrorKind::invalid_argument, "certificate: validity: it ends before it begins");
	if (!ASN1_TIME_set(X509_getm_notBefore(certificate), validity.from_s) ||
	    !ASN1_TIME_set(X509_getm_notAfter(certificate), validity.until_s))
		return fail(ErrorKind::invalid_argument, text("certificate: validity: ", last_reason()));
	return {};
}

// `value` in the language of openssl.cnf; only our own constants come here.
void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
	const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
	must(extension && X509_add_ext(certificate, extension.get(), -1), value);
}

bool is_dns_name(std::string_view name)
{
	return !name.empty() && name.size() <= dns_name_limit_bytes &&
	       std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; });
}

Result<GeneralNamePtr> general_name_of(const std::string &name)
{
	GeneralNamePtr general(GENERAL_NAME_new());
	must(general != nullptr, "GENERAL_NAME_new");
	if (AddressPtr address(a2i_IPADDRESS(name.c_str())); address) {
		GENERAL_NAME_set0_value(general.get(), GEN_IPADD, address.release());
		return general;
	}
	ERR_clear_error();
	if (!is_dns_name(name))
		return fail(ErrorKind::invalid_argument,
			    text("certificate: subject alternative name '", name,
				 "': neither an address nor a host name in ASCII"));
	ASN1_IA5STRING *dns_name = ASN1_IA5STRING_new();
	must(dns_name && ASN1_STRING_set(dns_name, name.data(), static_cast<int>(name.size())),
	     "ASN1_STRING_set");
	GENERAL_NAME_set0_value(general.get(), GEN_DNS, dns_name);
	return general;
}

Result<> add_names(X509 *certificate, const std::vector<std::string> &names)
{
	const GeneralNamesPtr list(GENERAL_NAMES_new());
	must(list != nullptr, "GENERAL_NAMES_new");
	for (const auto &name : names) {
		auto general = general_name_of(name);
		if (!general)
			return tl::unexpected(std::move(general.error()));
		must(sk_GENERAL_NAME_push(list.get(), general->get()) > 0, "sk_GENERAL_NAME_push");
		(void)general->release(); // the list owns it
	}
	must(X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) == 1,
	     "X509_add1_ext_i2d");
	return {};
}

// Version, serial, subject, validity and public key; the issuer, the extensions and the signature are left.
Result<X509Ptr> begin_certificate(std::string_view common_name, Validity validity, EVP_PKEY *key)
{
	X509Ptr certificate(X509_new());
	must(certificate && X509_set_version(certificate.get(), X509_VERSION_3) &&
		     X509_set_pubkey(certificate.get(), key),
	     "X509_new");
	set_serial(certificate.get());
	if (auto set = set_subject(certificate.get(), common_name); !set)
		return tl::unexpected(std::move(set.error()));
	if (auto set = set_validity(certificate.get(), validity); !set)
		return tl::unexpected(std::move(set.error()));
	return certificate;
}

// RSA, ECDSA and Ed25519 issuers; only the last brings its own hash.
Result<Issued> finish_certificate(X509 *certificate, EVP_PKEY *key, EVP_PKEY *issuer_key)
{
	const bool has_own_hash = EVP_PKEY_is_a(issuer_key, "ED25519") || EVP_PKEY_is_a(issuer_key, "ED448");
	if (!X509_sign(certificate, issuer_key, has_own_hash ? nullptr : EVP_sha256()))
		return fail(ErrorKind::internal, text("certificate: signing: ", last_reason()));
	const BioPtr bio(BIO_new(BIO_s_mem()));
	must(bio && PEM_write_bio_X509(bio.get(), certificate), "PEM_write_bio_X509");
	return Issued{text_of(bio.get()), pkcs8_pem(key)};
}

struct Pair {
	X509Ptr certificate;
	PkeyPtr key;
};

Result<Pair> ca_pair_of(std::string_view certificate_pem, std::string_view key_pem)
{
	auto certificate = certificate_of_pem(certificate_pem);
	if (!certificate)
		return tl::unexpected(std::move(certificate.error()));
	auto key = private_key_of_pem(key_pem);
	if (!key)
		return tl::unexpected(std::move(key.error()));
	if (X509_check_private_key(certificate->get(), key->get()) != 1)
		return fail(ErrorKind::invalid_argument,
			    text("certificate and private key: ", last_reason()));
	if (X509_check_ca(certificate->get()) != 1)
		return fail(ErrorKind::invalid_argument,
			    "certificate: it may not sign others: basicConstraints CA:TRUE is missing, or "
			    "keyUsage lacks keyCertSign");
	return Pair{std::move(*certificate), std::move(*key)};
}

} // namespace

Result<Issued> create_ca(std::string_view common_name, Validity validity)
{
	const PkeyPtr key = generate_p256();
	auto begun = begin_certificate(common_name, validity, key.get());
	if (!begun)
		return tl::unexpected(std::move(begun.error()));
	X509 *ca = begun->get();
	must(X509_set_issuer_name(ca, X509_get_subject_name(ca)), "X509_set_issuer_name");
	add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(ca, ca, NID_subject_key_identifier, "hash");
	return finish_certificate(ca, key.get(), key.get());
}

Result<Issued> issue_server_certificate(const Issued &ca, std::string_view common_name,
					const std::vector<std::string> &names, Validity validity)
{
	auto issuer = ca_pair_of(ca.certificate_pem, ca.key_pem);
	if (!issuer)
		return tl::unexpected(std::move(issuer.error()));
	const PkeyPtr key = generate_p256();
	auto begun = begin_certificate(common_name, validity, key.get());
	if (!begun)
		return tl::unexpected(std::move(begun.error()));
	X509 *leaf = begun->get();
	X509 *issuer_certificate = issuer->certificate.get();
	must(X509_set_issuer_name(leaf, X509_get_subject_name(issuer_certificate)), "X509_set_issuer_name");
	// One name on both would make the leaf look self-signed (OpenSSL's error 18).
	if (X509_NAME_cmp(X509_get_subject_name(leaf), X509_get_subject_name(issuer_certificate)) == 0)
		return fail(ErrorKind::invalid_argument,
			    text("certificate: common name '", common_name, "' is the issuer's own"));
	add_extension(leaf, issuer_certificate, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(leaf, issuer_certificate, NID_key_usage, "critical,digitalSignature");
	add_extension(leaf, issuer_certificate, NID_ext_key_usage, "serverAuth");
	add_extension(leaf, issuer_certificate, NID_subject_key_identifier, "hash");
	if (X509_get0_subject_key_id(issuer_certificate))
		add_extension(leaf, issuer_certificate, NID_authority_key_identifier, "keyid:always");
	if (auto added = add_names(leaf, names); !added)
		return tl::unexpected(std::move(added.error()));
	return finish_certificate(leaf, key.get(), issuer->key.get());
}

Result<> check_ca_pair(std::string_view certificate_pem, std::string_view key_pem)
{
	auto pair = ca_pair_of(certificate_pem, key_pem);
	if (!pair)
		return tl::unexpected(std::move(pair.error()));
	return {};
}

Result<std::string> key_pem_of_der(std::string_view der)
{
	auto key = private_key_of_der(der);
	if (!key)
		return tl::unexpected(std::move(key.error()));
	return pkcs8_pem(key->get());
}

Result<std::string> key_der_of_pem(std::string_view pem)
{
	auto key = private_key_of_pem(pem);
	if (!key)
		return tl::unexpected(std::move(key.error()));
	return pkcs8_der(key->get());
}

Result<std::int64_t> not_after(std::string_view certificate_pem)
{
	auto certificate = certificate_of_pem(certificate_pem);
	if (!certificate)
		return tl::unexpected(std::move(certificate.error()));
	std::tm end{};
	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate->get()), &end) != 1)
		return fail(ErrorKind::invalid_argument, text("certificate: notAfter: ", last_reason()));
	return timegm(&end);
}

} // namespace neuwerk::crypto
