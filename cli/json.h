// An answer of the API as a tree: keys keep their order, 64-bit numbers keep their digits.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace neuwerk::cli {

class Json {
public:
	using Array = std::vector<Json>;
	using Member = std::pair<std::string, Json>;
	using Object = std::vector<Member>;
	static constexpr std::size_t depth_limit_count = 128;

	// Fails with invalid_argument: not JSON, or nested too deep.
	[[nodiscard]] static Result<Json> parse(std::string_view text);

	Json() = default; // null
	Json(bool value) : value_(value) {}
	Json(std::int64_t value) : value_(value) {}
	Json(std::uint64_t value) : value_(value) {}
	Json(double value) : value_(value) {}
	Json(const char *value) : value_(std::string(value)) {}
	Json(std::string value) : value_(std::move(value)) {}
	Json(Array value) : value_(std::move(value)) {}
	[[nodiscard]] static Json object(std::initializer_list<Member> members = {})
	{
		Json json;
		json.value_ = Object(members);
		return json;
	}

	[[nodiscard]] bool is_null() const
	{
		return std::holds_alternative<std::monostate>(value_);
	}
	[[nodiscard]] bool is_object() const
	{
		return std::holds_alternative<Object>(value_);
	}
	[[nodiscard]] bool is_array() const
	{
		return std::holds_alternative<Array>(value_);
	}

	// The member of that name; null when there is none or this is no object.
	[[nodiscard]] const Json &operator[](std::string_view key) const;
	// Replaces a member or appends it; only for objects.
	void set(std::string_view key, Json value);
	[[nodiscard]] const Array &items() const;    // empty when this is no array
	[[nodiscard]] const Object &members() const; // empty when this is no object

	// For a line of text: null and "" are empty, lists joined by commas, control characters blanks: a
	// name that comes from elsewhere must not steer the terminal.
	[[nodiscard]] std::string text() const;
	[[nodiscard]] bool truth() const;
	[[nodiscard]] std::uint64_t number() const; // 0 when this is no number from 0 up
	[[nodiscard]] std::string compact() const;  // JSON on one line

private:
	std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>
		value_;
};

} // namespace neuwerk::cli
