// Patterns of the policy language: RE2's dialect, searched, not anchored.
#pragma once

#include <string>
#include <string_view>

namespace neuwerk::policy {

// Memory that one compiled pattern may take.
inline constexpr int regex_limit_bytes = 8 << 20;

enum class Case { sensitive, insensitive };

// "" when the pattern compiles, else why not.
[[nodiscard]] std::string problem_of_regex(std::string_view pattern, Case letters);

} // namespace neuwerk::policy
