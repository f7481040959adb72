// What the kernel says about the data ports, and what follows from it for the dataplane and the policy. Pure.
#pragma once

#include "daemon/config.h"
#include "dataplane/corridor.h"
#include "policy/policy.h"

#include <cstdint>
#include <string>
#include <vector>

namespace neuwerk::daemon {

struct PortAddress {
	std::uint32_t address; // host byte order
	std::uint8_t length;   // of the connected network
	bool global;           // not link-local, not host-local

	bool operator==(const PortAddress &) const = default;
};

struct PortFacts {
	std::string interface;
	std::uint32_t index; // ifindex; 0: no such interface
	std::uint32_t mtu;   // bytes, layer 3
	bool up;
	bool has_xdp;                       // some XDP program is attached
	std::vector<PortAddress> addresses; // in the kernel's order: the first is the primary one

	bool operator==(const PortFacts &) const = default;
};

// One entry per configured port, in that order.
using Facts = std::vector<PortFacts>;

// Fails with resource_exhausted when the ports carry more addresses than NW_OWN_ADDRESS_LIMIT.
[[nodiscard]] Result<dataplane::Settings> settings_of(const DataplaneConfig &config, const Facts &facts);

// The configured internal networks; without any, the networks that the inside ports are connected to.
[[nodiscard]] policy::Surroundings surroundings_of(const Config &config, const Facts &facts);

// Empty: the dataplane has what it needs. Otherwise what is missing, for an operator.
[[nodiscard]] std::string missing_of(const DataplaneConfig &config, const Facts &facts);

// "none", "auto 203.0.113.9", "auto (no address yet)", "static 203.0.113.9"
[[nodiscard]] std::string describe_snat(const DataplaneConfig &config, const Facts &facts);

} // namespace neuwerk::daemon
