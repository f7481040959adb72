// What /metrics shows, in Prometheus text format; docs/reference/metrics.md explains each name.
#pragma once

#include "dataplane/corridor.h"

#include <cstdint>
#include <optional>
#include <string>

namespace neuwerk::daemon {

struct PollerNumbers {
	std::uint64_t active_flows;
	std::uint64_t ring_drops;
	std::uint64_t events_lost;
	std::uint64_t unresolved_next_hops;
};

struct Numbers {
	dataplane::VerdictCounts xdp;
	dataplane::VerdictCounts poller;
	std::uint32_t generation;
	std::uint64_t flow_lines;
	std::uint64_t flow_lines_used;
	std::optional<PollerNumbers> poller_numbers; // nullopt: the poller does not answer
	std::uint64_t poller_restarts;
	std::uint64_t policy_applies_ok;
	std::uint64_t policy_applies_failed;
	bool ready;
};

[[nodiscard]] std::string metrics_text(const Numbers &numbers);

inline constexpr const char *metrics_content_type = "text/plain; version=0.0.4";

} // namespace neuwerk::daemon
