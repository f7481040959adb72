// A small process that keeps neighbours managed for the poller, which has given up every privilege itself.
//
// It is forked before the poller starts its ports, keeps CAP_NET_ADMIN alone, serves the interfaces that it
// was given and no others, and dies with the poller.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <cstdint>
#include <span>
#include <vector>

namespace neuwerk::dataplane {

struct NeighbourRequest {
	std::uint32_t ifindex;
	std::uint32_t address_be;
	std::uint8_t
		is_wanted; // 1: create it and keep it resolved (`ip neigh replace … managed`); 0: delete it
	std::uint8_t zero[3];
};

// Forks. Returns, in the poller, the socket that takes requests (nonblocking, one per datagram).
[[nodiscard]] Result<Fd> start_neighbour_helper(std::span<const std::uint32_t> ifindexes);

} // namespace neuwerk::dataplane
