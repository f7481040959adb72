// Blanks, case and UUIDs in texts of a request.
#include "api/spelling.h"

#include <algorithm>

namespace neuwerk::api {

namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";
constexpr std::string_view urn_prefix = "urn:uuid:";
constexpr std::size_t uuid_digit_count = 32;

constexpr char lower_letter(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

constexpr bool is_hex_digit(char digit)
{
	return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
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
	constexpr std::size_t hyphens[] = {8, 13, 18, 23};
	if (digits.size() == uuid_digit_count + std::size(hyphens)) {
		if (!std::ranges::all_of(hyphens, [&](std::size_t at) { return digits[at] == '-'; }))
			return std::nullopt;
		std::erase(digits, '-');
	}
	if (digits.size() != uuid_digit_count || !std::ranges::all_of(digits, is_hex_digit))
		return std::nullopt;
	for (const std::size_t at : hyphens)
		digits.insert(at, 1, '-');
	return digits;
}

} // namespace neuwerk::api
