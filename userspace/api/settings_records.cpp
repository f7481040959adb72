// Single-record settings as the Store holds them.
#include "api/settings_records.h"

#include "api/fields.h"
#include "api/records.h"

#include <boost/json.hpp>

namespace neuwerk::api {

namespace json = boost::json;

Result<PerformanceMode> read_performance_mode(const state::Store &store)
{
	const auto record = store.get(performance_mode_key);
	if (!record)
		return tl::unexpected(record.error());
	if (!*record)
		return PerformanceMode{};
	const std::string &value = (*record)->value;
	if (value != "0" && value != "1")
		return tl::unexpected(damaged(performance_mode_key, "neither 0 nor 1"));
	return PerformanceMode{.is_enabled = value == "1", .is_set = true};
}

Result<ThreatIntel> threat_intel_of(std::string_view record)
{
	ThreatIntel settings{.is_set = true};
	Fields fields(record);
	fields.required("enabled", settings.is_enabled);
	fields.required("alert_threshold", settings.alert_threshold, {"low", "medium", "high", "critical"});
	if (const auto read = fields.result(); !read)
		return tl::unexpected(damaged(threat_intel_key, read.error().what));
	return settings;
}

Result<ThreatIntel> read_threat_intel(const state::Store &store)
{
	const auto record = store.get(threat_intel_key);
	if (!record)
		return tl::unexpected(record.error());
	if (!*record)
		return ThreatIntel{};
	return threat_intel_of((*record)->value);
}

std::string record_of(const ThreatIntel &settings)
{
	return json::serialize(json::object{{"enabled", settings.is_enabled},
					    {"alert_threshold", settings.alert_threshold}});
}

} // namespace neuwerk::api
