// Randomness, SHA-256, HMAC and a comparison that takes the same time wherever it fails.
#include "crypto/crypto.h"
#include "crypto/openssl.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <optional>

namespace neuwerk::crypto {

namespace {

constexpr std::size_t sha256_bytes = 32;
constexpr std::size_t uuid_bytes = 16;
constexpr std::size_t uuid_text_bytes = 36;

// 8-4-4-4-12 digits.
constexpr bool is_hyphen_position(std::size_t position)
{
	return position == 8 || position == 13 || position == 18 || position == 23;
}

// Looking an algorithm up by name costs more than hashing a token: once is enough.
const EVP_MD *sha256_algorithm()
{
	static const EVP_MD *const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
	return algorithm;
}

std::string hyphenated(std::string_view digits)
{
	std::string uuid;
	for (const char digit : digits) {
		if (is_hyphen_position(uuid.size()))
			uuid += '-';
		uuid += digit;
	}
	return uuid;
}

std::optional<char> lower_hex_digit(char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))
		return c;
	if (c >= 'A' && c <= 'F')
		return static_cast<char>(c - 'A' + 'a');
	return std::nullopt;
}

} // namespace

std::string random_bytes(std::size_t count)
{
	std::string bytes(count, '\0');
	if (RAND_bytes(bytes_of(bytes), static_cast<int>(count)) != 1)
		stop_without("RAND_bytes");
	return bytes;
}

std::string random_uuid()
{
	std::string bytes = random_bytes(uuid_bytes);
	bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40); // RFC 9562 §5.4: version 4
	bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80); // §4.1: the variant of this RFC
	return hyphenated(to_hex(bytes));
}

std::optional<std::string> canonical_uuid(std::string_view text)
{
	if (text.starts_with("urn:uuid:"))
		text.remove_prefix(9);
	else if (text.size() == uuid_text_bytes + 2 && text.front() == '{' && text.back() == '}')
		text = text.substr(1, uuid_text_bytes);
	const bool has_hyphens = text.size() == uuid_text_bytes;
	if (!has_hyphens && text.size() != 2 * uuid_bytes)
		return std::nullopt;
	std::string digits;
	for (std::size_t i = 0; i < text.size(); i++) {
		if (has_hyphens && is_hyphen_position(i)) {
			if (text[i] != '-')
				return std::nullopt;
			continue;
		}
		const auto digit = lower_hex_digit(text[i]);
		if (!digit)
			return std::nullopt;
		digits += *digit;
	}
	return hyphenated(digits);
}

std::string sha256(std::string_view bytes)
{
	std::string digest(sha256_bytes, '\0');
	if (!EVP_Digest(bytes.data(), bytes.size(), bytes_of(digest), nullptr, sha256_algorithm(), nullptr))
		stop_without("EVP_Digest");
	return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes)
{
	std::string code(sha256_bytes, '\0');
	if (!HMAC(sha256_algorithm(), key.data(), static_cast<int>(key.size()), bytes_of(bytes), bytes.size(),
		  bytes_of(code), nullptr))
		stop_without("HMAC");
	return code;
}

bool equal_in_constant_time(std::string_view a, std::string_view b)
{
	return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace neuwerk::crypto
