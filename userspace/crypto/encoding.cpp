// Bytes as text: hexadecimal and both alphabets of RFC 4648.
#include "crypto/crypto.h"

#include "base/text.h"

#include <array>
#include <cstdint>

namespace neuwerk::crypto {

namespace {

constexpr std::string_view standard_alphabet =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::int8_t no_digit = -1;

constexpr std::array<std::int8_t, 256> values_of(std::string_view alphabet)
{
	std::array<std::int8_t, 256> values{};
	values.fill(no_digit);
	for (std::size_t i = 0; i < alphabet.size(); i++)
		values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::int8_t>(i);
	return values;
}

constexpr auto standard_values = values_of(standard_alphabet);
constexpr auto url_values = values_of(url_alphabet);

std::string encode(std::string_view bytes, std::string_view alphabet)
{
	std::string out;
	out.reserve((bytes.size() * 4 + 2) / 3 + 2);
	std::uint32_t bits = 0;
	int bit_count = 0;
	for (const char byte : bytes) {
		bits = bits << 8 | static_cast<std::uint8_t>(byte);
		bit_count += 8;
		for (; bit_count >= 6; bit_count -= 6)
			out += alphabet[bits >> (bit_count - 6) & 63];
	}
	if (bit_count > 0)
		out += alphabet[bits << (6 - bit_count) & 63];
	return out;
}

// The bits behind the last byte must be zero (RFC 4648 §3.5): one value has one spelling, so that a token
// cannot be altered and still verify.
Result<std::string> decode(std::string_view digits, const std::array<std::int8_t, 256> &values)
{
	std::string out;
	out.reserve(digits.size() * 3 / 4);
	std::uint32_t bits = 0;
	int bit_count = 0;
	for (std::size_t i = 0; i < digits.size(); i++) {
		const std::int8_t value = values[static_cast<std::uint8_t>(digits[i])];
		if (value == no_digit)
			return fail(ErrorKind::invalid_argument,
				    text("base64: character ", i + 1, " is not of its alphabet"));
		bits = bits << 6 | static_cast<std::uint32_t>(value);
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			out += static_cast<char>(bits >> bit_count & 0xff);
		}
	}
	if (digits.size() % 4 == 1)
		return fail(ErrorKind::invalid_argument, "base64: one character is missing or too many");
	if ((bits & ((1u << bit_count) - 1)) != 0)
		return fail(ErrorKind::invalid_argument,
			    "base64: the last character has bits that no byte holds");
	return out;
}

} // namespace

std::string to_hex(std::string_view bytes)
{
	constexpr std::string_view digits = "0123456789abcdef";
	std::string out;
	out.reserve(bytes.size() * 2);
	for (const char byte : bytes) {
		out += digits[static_cast<std::uint8_t>(byte) >> 4];
		out += digits[static_cast<std::uint8_t>(byte) & 15];
	}
	return out;
}

std::string to_base64(std::string_view bytes)
{
	std::string out = encode(bytes, standard_alphabet);
	out.append((4 - out.size() % 4) % 4, '=');
	return out;
}

Result<std::string> from_base64(std::string_view text)
{
	if (text.size() % 4 != 0)
		return fail(ErrorKind::invalid_argument,
			    "base64: the length is no multiple of 4: padding missing");
	if (text.ends_with("=="))
		text.remove_suffix(2);
	else if (text.ends_with('='))
		text.remove_suffix(1);
	return decode(text, standard_values);
}

std::string to_base64url(std::string_view bytes)
{
	return encode(bytes, url_alphabet);
}

Result<std::string> from_base64url(std::string_view text)
{
	return decode(text, url_values);
}

} // namespace neuwerk::crypto
