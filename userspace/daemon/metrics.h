// What /metrics shows, in Prometheus text format; docs/reference/metrics.md explains each name.
#pragma once

#include "daemon/tally.h"
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
	std::uint64_t translated_flows = 0;
	double nat_port_utilization = 0; // 0 to 1
};

// Of the records: consensus::Status and state::Store::Size.
struct StoreNumbers {
	bool is_leader;
	bool accepts_writes;
	std::uint64_t term, last_log_index, applied_index;
	std::uint64_t log_bytes, state_bytes, record_count;
};

struct AuditNumbers {
	std::uint64_t findings;
	std::uint64_t lost;         // denials and hits that did not fit between two flushes
	std::uint64_t uncounted;    // denied packets that were counted for no finding
	std::uint64_t transactions; // of audit.db
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
	std::optional<StoreNumbers> store{}; // nullopt: not open
	std::optional<AuditNumbers> audit{};
	Tally::Snapshot tally{};
};

[[nodiscard]] std::string metrics_text(const Numbers &numbers);

inline constexpr const char *metrics_content_type = "text/plain; version=0.0.4";

} // namespace neuwerk::daemon
