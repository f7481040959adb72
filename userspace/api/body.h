// Reading a JSON body field by field, with the errors of spec/http-api §2.2.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::api {

// An object. Every error is invalid_argument "invalid json: <detail>". Absent and null are the same. A key
// that is asked for and stands twice is an error; unknown keys are ignored, and may nest to depth 128.
class Body {
public:
	[[nodiscard]] static Result<Body> parse(std::string_view json); // the root must be an object

	[[nodiscard]] Result<std::string> text(std::string_view key) const; // required
	[[nodiscard]] Result<std::optional<std::string>> text_or_none(std::string_view key) const;
	[[nodiscard]] Result<bool> flag(std::string_view key) const; // required
	[[nodiscard]] Result<std::optional<bool>> flag_or_none(std::string_view key) const;
	[[nodiscard]] Result<std::optional<std::int64_t>> integer_or_none(std::string_view key) const;
	[[nodiscard]] Result<std::optional<std::vector<std::string>>>
	texts_or_none(std::string_view key) const;
	// A value of any kind, as compact JSON text: documents inside a body.
	[[nodiscard]] Result<std::optional<std::string>> json_or_none(std::string_view key) const;

	struct Tree;

private:
	std::shared_ptr<const Tree> tree_;
};

} // namespace neuwerk::api
