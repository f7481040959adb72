// How texts of a request are spelled: surrounding blanks, case, the forms of a UUID.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace neuwerk::api {

// Without leading and trailing ASCII white space. The view lives as long as `text`.
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] bool is_blank(std::string_view text);

// ASCII letters in lower case; everything else as it stands.
[[nodiscard]] std::string lower(std::string_view text);

// A UUID as a path may write it (spec/http-api §2.1): hyphenated, 32 hex digits, in braces, or as urn:uuid:,
// in any case. The answer is lower-case and hyphenated; nullopt: not a UUID.
[[nodiscard]] std::optional<std::string> parse_uuid(std::string_view text);

} // namespace neuwerk::api
