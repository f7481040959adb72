// A question as the frame that would arrive: headers and checksums as a client would send them.
#pragma once

#include "dataplane/corridor.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace neuwerk::dataplane {

// `mac` is the receiving port's. TCP frames carry a SYN alone. No payload.
[[nodiscard]] std::vector<std::byte> frame_of(const Question &question,
					      const std::array<std::uint8_t, 6> &mac);

} // namespace neuwerk::dataplane
