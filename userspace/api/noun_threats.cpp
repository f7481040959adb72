// Routes: threat findings, silences and feeds, spec/http-api §5.10. Settings and silences are kept for the
// engine; this version has none, and the findings say so.
#include "api/nouns.h"
#include "api/records.h"
#include "api/settings_records.h"
#include "api/spelling.h"
#include "api/threat_silence.h"
#include "base/text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace neuwerk::api {

namespace json = boost::json;

namespace {

struct Choice {
	std::string_view parameter;
	std::vector<std::string_view> values;
};

// In any case; blank values are ignored (as for audit findings, §5.8).
const std::vector<Choice> &choices()
{
	static const std::vector<Choice> all{{"indicator_type", {"hostname", "ip"}},
					     {"severity", {"low", "medium", "high", "critical"}},
					     {"observation_layer", {"dns", "tls", "l4"}},
					     {"match_source", {"stream", "backfill"}},
					     {"alertable_only", {"true", "false"}},
					     {"alertable", {"true", "false"}}};
	return all;
}

tl::unexpected<Error> bad_value(std::string_view parameter, std::string_view value)
{
	return fail(ErrorKind::invalid_argument, text("invalid ", parameter, " value: ", value));
}

Result<> check_query(const Call &call)
{
	for (const Choice &choice : choices())
		for (const std::string &value : call.query_values(choice.parameter))
			if (!is_blank(value) &&
			    std::ranges::find(choice.values, lower(trimmed(value))) == choice.values.end())
				return bad_value(choice.parameter, value);
	for (const std::string_view parameter : {"since", "until", "limit"})
		for (const std::string &value : call.query_values(parameter)) {
			const std::string_view digits = trimmed(value);
			std::int64_t number = 0;
			const auto [end, error] =
				std::from_chars(digits.data(), digits.data() + digits.size(), number);
			if (!digits.empty() && (error != std::errc{} || end != digits.data() + digits.size()))
				return bad_value(parameter, value);
		}
	return {};
}

// The envelope of §4.2. Nobody looked, so nobody answered: an empty list that looked complete would be a lie.
Response findings(Services &services, const Call &call)
{
	const auto settings = read_threat_intel(services.store);
	if (!settings)
		return error_response(settings.error());
	json::object envelope{{"items", json::array()},       {"partial", false},
			      {"node_errors", json::array()}, {"nodes_queried", 0},
			      {"nodes_responded", 0},         {"disabled", !settings->is_enabled}};
	if (settings->is_enabled) {
		if (const auto checked = check_query(call); !checked)
			return error_response(checked.error());
		envelope["partial"] = true;
		envelope["nodes_queried"] = 1;
		envelope["node_errors"] = json::array{
			json::object{{"node_id", "0"}, // a decimal string; a standalone node has no number
				     {"error", "threat matching has no engine in this version: nothing is "
					       "compared with the feeds"}}};
	}
	return {.body = json::serialize(envelope)};
}

Response feeds_status(Services &services)
{
	const auto settings = read_threat_intel(services.store);
	if (!settings)
		return error_response(settings.error());
	json::array feeds;
	for (const std::string_view feed : threat_feeds)
		feeds.push_back(json::object{{"feed", feed},
					     {"enabled", true},
					     {"indicator_counts", {{"hostname", 0}, {"ip", 0}}}});
	return {.body = json::serialize(json::object{
			{"snapshot_version", 0}, {"feeds", feeds}, {"disabled", !settings->is_enabled}})};
}

Response show_silences(const Document &silences)
{
	auto list = silences.read();
	if (!list)
		return error_response(list.error());
	return {.body = *list ? std::move(**list) : std::string(no_silences)};
}

Response add_silence(Services &services, Document &silences, const Call &call)
{
	auto silence = read_silence(call.request.body);
	if (!silence)
		return error_response(silence.error());
	silence->id = crypto::random_uuid();
	silence->created_at_s = services.now_ms() / 1000;
	silence->created_by = call.subject.sub;
	std::string entry = json_of(*silence);
	const auto added = silences.change(call.subject.sub, [&](const std::optional<std::string> &list) {
		return append_silence(list, entry);
	});
	if (!added)
		return error_response(added.error());
	return {.body = std::move(entry)};
}

Response remove_silence(Document &silences, const Call &call)
{
	const auto removed = silences.change(call.subject.sub, [&](const std::optional<std::string> &list) {
		return erase_silence(list, call.parameters.at(0));
	});
	return removed ? Response{.status = 204} : error_response(removed.error());
}

void add_findings_routes(Routes &routes, Services &services)
{
	for (const std::string_view path : {"/api/v1/threats/findings", "/api/v1/threats/findings/local"})
		routes.push_back(
			{.method = Method::get,
			 .path = path,
			 .access = Access::user,
			 .reads = Reads::no_body,
			 .documentation = {.tag = "Threats",
					   .summary = "Traffic that threat feeds name; this version has no "
						      "engine and says so in node_errors",
					   .response = "#ThreatFindings",
					   .query = {"indicator_type", "severity", "source_group",
						     "observation_layer", "feed", "match_source",
						     "alertable_only", "alertable", "since", "until",
						     "limit"}},
			 .handle = [&services](const Call &call) { return findings(services, call); }});
	routes.push_back(
		{.method = Method::get,
		 .path = "/api/v1/threats/feeds/status",
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation = {.tag = "Threats",
				   .summary = "How fresh the threat feeds are; version 0: never read",
				   .response = "#ThreatFeedStatus"},
		 .handle = [&services](const Call &) { return feeds_status(services); }});
}

} // namespace

void add_threats_routes(Routes &routes, Services &services)
{
	add_findings_routes(routes, services);
	const auto silences = std::make_shared<Document>(services.store, std::string(threat_silences_key));
	routes.push_back({.method = Method::get,
			  .path = "/api/v1/threats/silences",
			  .access = Access::user,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Threats",
					    .summary = "Silenced indicators, the oldest first",
					    .response = "#ThreatSilences"},
			  .handle = [silences](const Call &) { return show_silences(*silences); }});
	routes.push_back({.method = Method::post,
			  .path = "/api/v1/threats/silences",
			  .access = Access::user,
			  .reads = Reads::json_body,
			  .documentation = {.tag = "Threats",
					    .summary = "Silence an indicator, or hostnames by a pattern",
					    .request = "#ThreatSilenceCreate",
					    .response = "#ThreatSilence"},
			  .handle = [&services, silences](const Call &call) {
				  return add_silence(services, *silences, call);
			  }});
	routes.push_back(
		{.method = Method::erase,
		 .path = "/api/v1/threats/silences/{id}",
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation = {.tag = "Threats", .summary = "Lift a silence", .success = 204},
		 .handle = [silences](const Call &call) { return remove_silence(*silences, call); }});
}

} // namespace neuwerk::api
