// Walks over text that a parser has found to be JSON, without making values of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace neuwerk::api {

class JsonScan {
public:
	explicit JsonScan(std::string_view text) : text_(text) {}

	// The next character that is no space, and past it. NUL at the end.
	char next();
	// The value that begins here, as it stands.
	std::string_view value();

private:
	void skip_text();
	void skip_nested();

	std::string_view text_;
	std::size_t at_ = 0;
};

// A value without the spaces between its parts; everything else stays as it was written.
[[nodiscard]] std::string without_spaces(std::string_view value);

} // namespace neuwerk::api
