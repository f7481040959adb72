// What diagnostics routes read from a query: filters of findings (§5.8) and of the wiretap (§7), limits.
#pragma once

#include "api/appliance.h"
#include "api/http.h"

#include <cstdint>

namespace neuwerk::api {

inline constexpr std::uint32_t flow_limit_default = 10'000;
inline constexpr std::uint32_t flow_limit_max = 100'000;

// Every error is invalid_argument and names the key and the value. Blank values are no filter; repeated keys
// are OR.
[[nodiscard]] Result<FindingFilter> finding_filter(const Call &call);
[[nodiscard]] Result<WiretapFilter> wiretap_filter(const Call &call);

// 1 to flow_limit_max; what is outside is brought inside.
[[nodiscard]] Result<std::uint32_t> flow_limit(const Call &call);

} // namespace neuwerk::api
