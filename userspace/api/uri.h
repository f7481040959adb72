// The pieces of a request target: splitting, percent-decoding (RFC 3986 §2.1) and UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace neuwerk::api {

struct Target {
	std::string_view path;  // raw, starts with '/'; "*" of OPTIONS
	std::string_view query; // raw, without '?'
};

// Origin form ("/a?b"), absolute form ("https://host/a?b") and "*" (RFC 9112 §3.2); nullopt for the rest.
[[nodiscard]] std::optional<Target> split_target(std::string_view target);

// What is no escape ("%zz") stays as it stands. The bytes may be anything.
[[nodiscard]] std::string decode_percent(std::string_view raw);
// The same for query strings, where '+' is a space (WHATWG URL §5.1).
[[nodiscard]] std::string decode_form(std::string_view raw);

// Well-formed as RFC 3629 has it: no surrogate, no overlong form, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view bytes);

} // namespace neuwerk::api
