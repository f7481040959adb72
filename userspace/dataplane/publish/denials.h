// Reads what abi/denial.h counts: each packet once, also across a restart of the reader.
#pragma once

#include "abi/denial.h"

#include <cstdint>
#include <functional>
#include <span>

namespace neuwerk::dataplane {

// `sets`: all rows. Hands over each key with the packets that came since the call before, and notes in the
// map that they were read. Returns the packets since then that found no line. One thread at a time.
[[nodiscard]] std::uint64_t
drain_denials(std::span<nw_denial_set> sets,
	      const std::function<void(const nw_denial &line, std::uint32_t packet_count)> &take);

} // namespace neuwerk::dataplane
