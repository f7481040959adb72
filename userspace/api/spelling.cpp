// Blanks, case and UUIDs in texts of a request.
#include "api/spelling.h"

#include "crypto/crypto.h"

#include <algorithm>

namespace neuwerk::api {

namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";
constexpr std::string_view urn_prefix = "urn:uuid:";
constexpr std::size_t uuid_digit_count = 32;
constexpr std::size_t uuid_hyphen_count = 4;

constexpr char lower_letter(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

} // namespace

std::string_view trimmed(std::string_view text)
{
	const std::size_t first = text.find_first_not_of(blanks);
	if (first == std::string_view::npos)
		return {};
	return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_blank(std::string_view text)
{
	return trimmed(text).empty();
}

std::string lower(std::string_view text)
{
	std::string out(text);
	std::ranges::transform(out, out.begin(), lower_letter);
	return out;
}

std::optional<std::string> parse_uuid(std::string_view text)
{
	std::string digits = lower(text);
	if (digits.starts_with(urn_prefix))
		digits.erase(0, urn_prefix.size());
	else if (digits.size() > 2 && digits.front() == '{' && digits.back() == '}')
		digits = digits.substr(1, digits.size() - 2);
	// Now without anything around it: canonical_uuid alone would take a prefix within braces.
	if (digits.size() != uuid_digit_count && digits.size() != uuid_digit_count + uuid_hyphen_count)
		return std::nullopt;
	return crypto::canonical_uuid(digits);
}

} // namespace neuwerk::api
