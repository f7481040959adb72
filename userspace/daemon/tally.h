// What neuwerkd itself counts for /metrics: requests, logins, flows as they come and go. Series are bounded.
#pragma once

#include "api/api.h"
#include "neuwerk/v1/dataplane.pb.h"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

namespace neuwerk::daemon {

// Safe from every thread. What would be one series too many is counted under "other".
class Tally {
public:
	static constexpr std::size_t request_series_limit_count = 1024;
	static constexpr std::size_t flow_series_limit_count = 1024;
	// Upper bounds in seconds; the reference's.
	static constexpr std::array<double, 11> duration_bounds_s = {.005, .01, .025, .05, .1, .25,
								     .5,   1,   2.5,  5,   10};

	void on_exchange(const api::Exchange &exchange);
	void on_auth(const api::AuthOutcome &outcome);
	void on_event(const v1::Event &event); // flow_started, flow_ended

	struct Durations {
		std::array<std::uint64_t, duration_bounds_s.size()> at_most{}; // cumulative
		std::uint64_t count = 0;
		double sum_s = 0;
	};
	using RequestLabels = std::tuple<std::string, std::string, int>; // path, method, status
	using Pair = std::pair<std::string, std::string>;
	struct Snapshot {
		std::map<RequestLabels, Durations> requests;
		std::map<Pair, std::uint64_t> auths;              // outcome, reason
		std::map<Pair, std::uint64_t> flow_opens;         // protocol, group
		std::map<std::string, std::uint64_t> flow_closes; // reason
	};
	[[nodiscard]] Snapshot snapshot() const;

private:
	mutable std::mutex mutex_;
	Snapshot now_; // under mutex_
};

} // namespace neuwerk::daemon
