// Joins values into one string: text("port ", 70000, " is not a port").
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace neuwerk {

namespace detail {

inline void append(std::string &out, std::string_view part)
{
	out += part;
}

inline void append(std::string &out, char part)
{
	out += part;
}

template <typename Number>
	requires(std::integral<Number> && !std::same_as<Number, char>)
void append(std::string &out, Number part)
{
	out += std::to_string(part);
}

} // namespace detail

template <typename... Parts>
[[nodiscard]] std::string text(const Parts &...parts)
{
	std::string out;
	(detail::append(out, parts), ...);
	return out;
}

} // namespace neuwerk
