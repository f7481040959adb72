// Routes: performance mode and threat-intel settings, spec/http-api §5.10 and §5.11.
#include "api/fields.h"
#include "api/nouns.h"
#include "api/records.h"
#include "api/settings_records.h"

#include <boost/json.hpp>

namespace neuwerk::api {

namespace json = boost::json;

namespace {

json::value source_of(bool is_set)
{
	return is_set ? json::value(setting_source) : json::value();
}

Response show(const PerformanceMode &mode)
{
	return {.body = json::serialize(
			json::object{{"enabled", mode.is_enabled}, {"source", source_of(mode.is_set)}})};
}

Response put_performance_mode(Services &services, const Call &call)
{
	PerformanceMode mode{.is_set = true};
	Fields fields(call.request.body);
	fields.required("enabled", mode.is_enabled);
	if (const auto read = fields.result(); !read)
		return error_response(read.error());
	const auto written = services.store.write(
		{.operations = {state::put(std::string(performance_mode_key), mode.is_enabled ? "1" : "0")},
		 .actor = call.subject.sub});
	if (!written)
		return error_response(written.error());
	return show(mode);
}

Response show(const ThreatIntel &settings)
{
	json::object feeds;
	for (const std::string_view feed : threat_feeds)
		feeds[feed] = {{"enabled", true}, {"refresh_interval_secs", feed_refresh_interval_s}};
	return {.body = json::serialize(json::object{{"enabled", settings.is_enabled},
						     {"alert_threshold", settings.alert_threshold},
						     {"baseline_feeds", feeds},
						     {"remote_enrichment", {{"enabled", false}}},
						     {"source", source_of(settings.is_set)}})};
}

// Keys that are absent keep what stands; feeds and enrichment cannot be changed here.
Result<ThreatIntel> change_threat_intel(Document &document, const Call &call)
{
	ThreatIntel after;
	const auto patch = [&](const std::optional<std::string> &current) -> Result<std::string> {
		auto before = current ? threat_intel_of(*current) : ThreatIntel{};
		if (!before)
			return tl::unexpected(before.error());
		after = std::move(*before);
		after.is_set = true;
		Fields fields(call.request.body);
		fields.optional("enabled", after.is_enabled);
		fields.optional("alert_threshold", after.alert_threshold,
				{"low", "medium", "high", "critical"});
		if (const auto read = fields.result(); !read)
			return tl::unexpected(read.error());
		return record_of(after);
	};
	if (const auto changed = document.change(call.subject.sub, patch); !changed)
		return tl::unexpected(changed.error());
	return after;
}

template <typename Value>
Response answer(const Result<Value> &result)
{
	return result ? show(*result) : error_response(result.error());
}

} // namespace

void add_settings_routes(Routes &routes, Services &services)
{
	routes.push_back({.method = Method::get,
			  .path = "/api/v1/settings/performance-mode",
			  .access = Access::user,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Settings",
					    .summary = "Whether wiretap and audit findings are served",
					    .response = "#PerformanceMode"},
			  .handle = [&services](const Call &) {
				  return answer(read_performance_mode(services.store));
			  }});
	routes.push_back(
		{.method = Method::put,
		 .path = "/api/v1/settings/performance-mode",
		 .access = Access::user,
		 .reads = Reads::json_body,
		 .documentation = {.tag = "Settings",
				   .summary = "Serve wiretap and audit findings, or refuse them",
				   .request = "#PerformanceModeUpdate",
				   .response = "#PerformanceMode"},
		 .handle = [&services](const Call &call) { return put_performance_mode(services, call); }});
	const auto document = std::make_shared<Document>(services.store, std::string(threat_intel_key));
	routes.push_back(
		{.method = Method::get,
		 .path = "/api/v1/settings/threat-intel",
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation = {.tag = "Settings",
				   .summary = "Settings of threat intelligence",
				   .response = "#ThreatIntelSettings"},
		 .handle = [&services](const Call &) { return answer(read_threat_intel(services.store)); }});
	routes.push_back(
		{.method = Method::put,
		 .path = "/api/v1/settings/threat-intel",
		 .access = Access::user,
		 .reads = Reads::json_body,
		 .documentation = {.tag = "Settings",
				   .summary = "Switch threat intelligence, choose from which severity on "
					      "it alerts",
				   .request = "#ThreatIntelSettingsUpdate",
				   .response = "#ThreatIntelSettings"},
		 .handle = [document](const Call &call) {
			 return answer(change_threat_intel(*document, call));
		 }});
}

} // namespace neuwerk::api
