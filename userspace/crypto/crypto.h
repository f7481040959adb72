// Front door of crypto/: what the house needs of OpenSSL, as values; no type of OpenSSL leaves the room.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::crypto {

// From the kernel (getrandom by way of OpenSSL's DRBG). Fails never: a system without randomness stops here.
[[nodiscard]] std::string random_bytes(std::size_t count);
[[nodiscard]] std::string random_uuid(); // version 4, lower-case, hyphenated
// Any usual spelling (hyphens or none, upper-case, "urn:uuid:…", "{…}") as lower-case with hyphens; nullopt:
// it is no UUID.
[[nodiscard]] std::optional<std::string> canonical_uuid(std::string_view text);

[[nodiscard]] std::string sha256(std::string_view bytes);                            // 32 bytes
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view bytes); // 32 bytes
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

[[nodiscard]] std::string to_hex(std::string_view bytes);    // lower-case
[[nodiscard]] std::string to_base64(std::string_view bytes); // RFC 4648 §4, padded
[[nodiscard]] Result<std::string> from_base64(std::string_view text);
[[nodiscard]] std::string to_base64url(std::string_view bytes);          // RFC 4648 §5, without padding
[[nodiscard]] Result<std::string> from_base64url(std::string_view text); // padding is refused

// Ed25519 (RFC 8032).
struct SigningKey {
	std::string public_key;    // 32 raw bytes
	std::string private_pkcs8; // DER
};
[[nodiscard]] SigningKey generate_signing_key();
[[nodiscard]] Result<std::string> sign(std::string_view private_pkcs8, std::string_view message); // 64 bytes
[[nodiscard]] bool verify(std::string_view public_key, std::string_view message, std::string_view signature);

// A secret at rest: HKDF-SHA256(random salt, ikm = key, info "neuwerk-ca-envelope") → ChaCha20-Poly1305,
// spec/http-api §1.2. Text form: JSON {"kid","salt","nonce","ciphertext"} in base64.
struct SealingKey {
	std::string kid;
	std::string secret; // 32 bytes
};
[[nodiscard]] std::string seal(const SealingKey &key, std::string_view secret);
// Fails with corrupt when the envelope does not open with this key: a wrong secret.key, or altered bytes.
[[nodiscard]] Result<std::string> unseal(const SealingKey &key, std::string_view envelope);
// <directory>/secret.key: 32 bytes, mode 0600, created where missing. Fails with forbidden when others may
// read it.
[[nodiscard]] Result<SealingKey> load_or_create_sealing_key(const std::string &path);

// Certificates: ECDSA P-256, X.509 v3, accepted by OpenSSL with X509_STRICT, Go and webpki.
struct Issued {
	std::string certificate_pem;
	std::string key_pem; // PKCS#8
};
struct Validity {
	std::int64_t from_s; // Unix time
	std::int64_t until_s;
};
[[nodiscard]] Result<Issued> create_ca(std::string_view common_name, Validity validity);
// `names`: IP literals become iPAddress, everything else dNSName.
[[nodiscard]] Result<Issued> issue_server_certificate(const Issued &ca, std::string_view common_name,
						      const std::vector<std::string> &names,
						      Validity validity);
// Whether certificate and key belong together and the certificate may sign others. PKCS#8, SEC1 and PKCS#1
// keys, PEM; the error's `what` is OpenSSL's reason.
[[nodiscard]] Result<> check_ca_pair(std::string_view certificate_pem, std::string_view key_pem);
[[nodiscard]] Result<std::string> key_pem_of_der(std::string_view der); // any private key → PKCS#8 PEM
[[nodiscard]] Result<std::string> key_der_of_pem(std::string_view pem); // any private key → PKCS#8 DER
[[nodiscard]] Result<std::int64_t> not_after(std::string_view certificate_pem); // Unix time

} // namespace neuwerk::crypto
