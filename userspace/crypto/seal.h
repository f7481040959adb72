// What an envelope is made of; a header of its own so that the test holds both against published vectors.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace neuwerk::crypto {

// RFC 5869 with SHA-256: `count` bytes, at most 255 × 32.
[[nodiscard]] std::string hkdf_sha256(std::string_view salt, std::string_view key, std::string_view context,
				      std::size_t count);

// RFC 8439 §2.8 (was 7539). key: 32 bytes; nonce: 12. Sealed: ciphertext, then a tag of 16 bytes.
[[nodiscard]] std::string aead_seal(std::string_view key, std::string_view nonce, std::string_view associated,
				    std::string_view plain);
// nullopt: not sealed with this key, nonce and associated data.
[[nodiscard]] std::optional<std::string> aead_open(std::string_view key, std::string_view nonce,
						   std::string_view associated, std::string_view sealed);

} // namespace neuwerk::crypto
