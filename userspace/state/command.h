// A write as the log stores it: checked, compressed, serialised.
#pragma once

#include "state/state.h"

#include <string>

namespace neuwerk::state {

// Fails with invalid_argument; `what` names the key that is wrong.
[[nodiscard]] Result<std::string> encode(const Write &write, std::int64_t leader_time_ms);

} // namespace neuwerk::state
