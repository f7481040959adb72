// Findings among themselves: how two become one, and how one is stored.
#pragma once

#include "observe/observe.h"

#include <string>
#include <string_view>

namespace neuwerk::observe {

inline constexpr std::size_t source_sample_count = 8;

// Lower case, without trailing dots: how §5.8 compares texts.
[[nodiscard]] std::string folded(std::string_view text);

// Both have the same key. Counts add up, times span both; rule, revision and audited are the later one's.
void merge(Finding &into, const Finding &from);

[[nodiscard]] std::string to_json(const Finding &finding);
// Fails with corrupt: not what to_json writes.
[[nodiscard]] Result<Finding> finding_of_json(std::string_view json);

} // namespace neuwerk::observe
