// Members of a JSON object by type; for the .cpp files of identity/.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace neuwerk::identity {

// An object, or nullopt for everything else that text can be.
[[nodiscard]] inline std::optional<boost::json::object> object_of(std::string_view text)
{
	boost::system::error_code error;
	auto parsed = boost::json::parse(text, error);
	if (error || !parsed.is_object())
		return std::nullopt;
	return std::move(parsed.get_object());
}

// Absent and null are the same.
[[nodiscard]] inline const boost::json::value *member(const boost::json::object &object, std::string_view key)
{
	const auto *value = object.if_contains(key);
	return value && !value->is_null() ? value : nullptr;
}

[[nodiscard]] inline std::optional<std::string> text_member(const boost::json::object &object,
							    std::string_view key)
{
	const auto *value = member(object, key);
	if (!value || !value->is_string())
		return std::nullopt;
	return std::string(value->get_string());
}

[[nodiscard]] inline std::optional<std::int64_t> integer_member(const boost::json::object &object,
								std::string_view key)
{
	const auto *value = member(object, key);
	if (!value || !value->is_int64())
		return std::nullopt;
	return value->get_int64();
}

[[nodiscard]] inline boost::json::value value_of(const std::optional<std::string> &text)
{
	return text ? boost::json::value(*text) : boost::json::value();
}

} // namespace neuwerk::identity
