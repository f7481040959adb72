// Whether XDP can serve an interface, asked before anything is attached.
#pragma once

#include "base/result.h"

#include <array>
#include <cstdint>
#include <string>

namespace neuwerk::dataplane {

struct Interface {
	std::uint32_t index;
	std::uint32_t mtu_bytes; // layer 3
	std::array<std::uint8_t, 6> mac;
};

// Refuses what would hide bytes from XDP or break its frames: an interface that is missing, that merges
// received packets (LRO), strips VLAN tags, or whose MTU exceeds NW_MTU_MAX_BYTES. The message ends with the
// command that helps.
[[nodiscard]] Result<Interface> check_interface(const std::string &name);

} // namespace neuwerk::dataplane
