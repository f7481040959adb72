// How texts are spelled inside identity/: surrounding blanks and ASCII case.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace neuwerk::identity {

inline constexpr std::string_view blanks = " \t\r\n\f\v";

// The view lives as long as `written`.
[[nodiscard]] inline std::string_view trimmed(std::string_view written)
{
	const std::size_t start = written.find_first_not_of(blanks);
	if (start == std::string_view::npos)
		return {};
	return written.substr(start, written.find_last_not_of(blanks) - start + 1);
}

// None is blank.
[[nodiscard]] inline std::string_view trimmed(const std::optional<std::string> &written)
{
	return written ? trimmed(std::string_view(*written)) : std::string_view{};
}
std::string_view trimmed(std::optional<std::string> &&) = delete; // the view would outlive its text

[[nodiscard]] inline std::string lower(std::string_view written)
{
	std::string out(written);
	for (char &c : out)
		if (c >= 'A' && c <= 'Z')
			c = static_cast<char>(c - 'A' + 'a');
	return out;
}

} // namespace neuwerk::identity
