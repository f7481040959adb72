// The settings that are single records, for the routes that serve them and for those that obey them.
#pragma once

#include "base/result.h"
#include "state/state.h"

#include <string>
#include <string_view>

namespace neuwerk::api {

inline constexpr std::string_view performance_mode_key = "settings/performance_mode/enabled";
inline constexpr std::string_view threat_intel_key = "settings/threat_intel/config";
inline constexpr std::string_view threat_silences_key = "settings/threat_intel/silences";

// Where a setting comes from; null in JSON as long as nobody has set it (spec/http-api §5.10, §5.11).
inline constexpr std::string_view setting_source = "local";

struct PerformanceMode {
	bool is_enabled = true;
	bool is_set = false; // by a PUT
};
[[nodiscard]] Result<PerformanceMode> read_performance_mode(const state::Store &store);

struct ThreatIntel {
	bool is_enabled = true;
	std::string alert_threshold = "high"; // low, medium, high, critical
	bool is_set = false;
};
[[nodiscard]] Result<ThreatIntel> read_threat_intel(const state::Store &store);

// What the record says; for those who change it.
[[nodiscard]] Result<ThreatIntel> threat_intel_of(std::string_view record);
[[nodiscard]] std::string record_of(const ThreatIntel &settings);

// The feeds of the reference, in its order.
inline constexpr std::string_view threat_feeds[] = {"threatfox", "urlhaus", "spamhaus_drop"};
inline constexpr int feed_refresh_interval_s = 3600;

} // namespace neuwerk::api
