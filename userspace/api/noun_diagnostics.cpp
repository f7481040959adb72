// Routes: health, readiness, stats, flows, events, audit, wiretap, sysdump (spec/http-api §5.1, §5.7 to §5.9,
// §7, §8).
#include "api/diagnostics_query.h"
#include "api/nouns.h"
#include "api/settings_records.h"
#include "base/text.h"

#include <ctime>

namespace neuwerk::api {

namespace {

constexpr std::string_view fanout_header = "x-neuwerk-cluster-sysdump-fanout";

Response as_json(Result<std::string> answer)
{
	if (!answer)
		return error_response(answer.error());
	return {.body = std::move(*answer)};
}

// The envelope of §4.2 around what one node alone has to say.
Response as_items(const Result<std::string> &items)
{
	if (!items)
		return error_response(items.error());
	return {.body = text(R"({"items":)", *items,
			     R"(,"partial":false,"node_errors":[],"nodes_queried":1,"nodes_responded":1})")};
}

// Performance mode gates what watches packets; nothing when it is on.
std::optional<Response> gate(Services &services, std::string_view what)
{
	const auto mode = read_performance_mode(services.store);
	if (!mode)
		return error_response(mode.error());
	if (mode->is_enabled)
		return std::nullopt;
	return error_response(503, text("performance mode is disabled; ", what, " is unavailable"));
}

Response readiness(Services &services, bool dataplane_only)
{
	bool is_ready = false;
	std::string checks = services.appliance.readiness(dataplane_only, is_ready);
	return {.status = is_ready ? 200 : 503, .body = std::move(checks)};
}

Response audit_findings(Services &services, const Call &call)
{
	if (auto closed = gate(services, "audit"))
		return *closed;
	const auto filter = finding_filter(call);
	if (!filter)
		return error_response(filter.error());
	return as_items(services.appliance.audit_findings(*filter));
}

Response flows(Services &services, const Call &call)
{
	const auto limit = flow_limit(call);
	if (!limit)
		return error_response(limit.error());
	return as_json(services.appliance.flows(*limit));
}

Response as_stream(Result<std::shared_ptr<StreamSource>> stream)
{
	if (!stream)
		return error_response(stream.error());
	return {.content_type = "text/event-stream",
		.headers = {{"cache-control", "no-cache"}},
		.stream = std::move(*stream)};
}

Response wiretap(Services &services, const Call &call)
{
	if (auto closed = gate(services, "wiretap"))
		return *closed;
	const auto wanted = wiretap_filter(call);
	if (!wanted)
		return error_response(wanted.error());
	return as_stream(services.appliance.wiretap(*wanted));
}

// "20261121T161502Z"
std::string time_stamp(std::int64_t unix_ms)
{
	const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
	std::tm utc{};
	gmtime_r(&seconds, &utc);
	char stamp[32];
	return {stamp, std::strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc)};
}

Response node_sysdump(Services &services, const Call &call)
{
	if (call.request.header(fanout_header) != "1")
		return error_response(403, "cluster sysdump fanout header required");
	auto archive = services.appliance.sysdump();
	if (!archive)
		return error_response(archive.error());
	return {.body = std::move(*archive),
		.content_type = "application/gzip",
		.headers = {{"content-disposition", text(R"(attachment; filename="neuwerk-sysdump-)",
							 time_stamp(services.now_ms()), R"(.tar.gz")")}}};
}

constexpr std::vector<std::string_view> nothing = {};

Documentation about(std::string_view summary, std::string_view response,
		    std::vector<std::string_view> query = nothing)
{
	return {.tag = "Diagnostics", .summary = summary, .response = response, .query = std::move(query)};
}

// A GET of the table: most routes here are one.
template <typename Handle>
Route get(std::string_view path, Access access, Documentation documentation, Handle handle)
{
	return {.method = Method::get,
		.path = path,
		.access = access,
		.reads = Reads::no_body,
		.documentation = std::move(documentation),
		.handle = std::move(handle)};
}

void add_health(Routes &routes, Services &services)
{
	routes.push_back(get("/health", Access::open, about("Whether the process serves", "#Health"),
			     [](const Call &) { return Response{.body = R"({"status":"ok"})"}; }));
	routes.back().quick = true;
	routes.push_back(get("/ready", Access::open,
			     about("Whether this node does its work; 503 when not", "#Readiness"),
			     [&services](const Call &) { return readiness(services, false); }));
	routes.push_back(get("/ready/dataplane", Access::open,
			     about("The checks that packets depend on; 503 when one fails", "#Readiness"),
			     [&services](const Call &) { return readiness(services, true); }));
}

void add_numbers(Routes &routes, Services &services)
{
	Appliance &appliance = services.appliance;
	routes.push_back(get("/api/v1/stats", Access::user,
			     about("Counters of the node, at most 1 s old", "#Stats"),
			     [&](const Call &) { return as_json(appliance.stats()); }));
	routes.push_back(get("/api/v1/dns-cache", Access::user,
			     about("Names that were resolved, and their addresses", "#DnsCache"),
			     [&](const Call &) { return as_json(appliance.dns_cache()); }));
	routes.push_back(get("/api/v1/status", Access::user,
			     about("Version, policy, ports, checks and the poller", "#NodeStatus"),
			     [&](const Call &) { return as_json(appliance.node_status()); }));
	routes.push_back(get("/api/v1/counters", Access::user,
			     about("Packets and bytes by stage and verdict", "#Counters"),
			     [&](const Call &) { return as_json(appliance.counters()); }));
	routes.push_back(get("/api/v1/nat", Access::user,
			     about("SNAT: the addresses and how many flows each carries", "#Nat"),
			     [&](const Call &) { return as_json(appliance.nat()); }));
	routes.push_back(
		get("/api/v1/flows", Access::user,
		    about("Flows as they stand: 10000 without a limit, at most 100000", "#Flows", {"limit"}),
		    [&services](const Call &call) { return flows(services, call); }));
}

void add_observations(Routes &routes, Services &services)
{
	const std::vector<std::string_view> finding_keys = {"policy_id", "finding_type", "source_group",
							    "since",     "until",        "limit"};
	for (const std::string_view path : {"/api/v1/audit/findings", "/api/v1/audit/findings/local"})
		routes.push_back(
			get(path, Access::user,
			    about("What policy denied or would deny, by destination; repeated keys are OR",
				  "#AuditFindings", finding_keys),
			    [&services](const Call &call) { return audit_findings(services, call); }));
	for (const std::string_view path : {"/api/v1/policy/telemetry", "/api/v1/policy/telemetry/local"})
		routes.push_back(get(
			path, Access::user,
			about("Hits per source group, of this day and the one before", "#PolicyTelemetry"),
			[&services](const Call &) {
				return as_items(services.appliance.policy_telemetry());
			}));
}

void add_streams(Routes &routes, Services &services)
{
	Documentation flows =
		about("Flows as server-sent events `flow` and `flow_end`; repeated keys are OR", "",
		      {"src_cidr", "dst_cidr", "hostname", "proto", "src_port", "dst_port"});
	flows.response_type = "text/event-stream";
	routes.push_back(get("/api/v1/wiretap/stream", Access::user, std::move(flows),
			     [&services](const Call &call) { return wiretap(services, call); }));
	Documentation events = about("Every event of the dataplane as server-sent events", "");
	events.response_type = "text/event-stream";
	routes.push_back(get("/api/v1/events", Access::user, std::move(events),
			     [&services](const Call &) { return as_stream(services.appliance.events()); }));
}

void add_sysdump(Routes &routes, Services &services)
{
	const auto post = [&routes](std::string_view path, std::string_view summary, auto handle) {
		Documentation documentation = about(summary, "");
		documentation.response_type = "application/gzip";
		routes.push_back({.method = Method::post,
				  .path = path,
				  .access = Access::admin,
				  .reads = Reads::no_body,
				  .documentation = std::move(documentation),
				  .handle = std::move(handle)});
	};
	post("/api/v1/support/sysdump/node",
	     "An archive of this node for support, secrets redacted; needs the header "
	     "x-neuwerk-cluster-sysdump-fanout: 1",
	     [&services](const Call &call) { return node_sysdump(services, call); });
	post("/api/v1/support/sysdump/cluster", "An archive of every node; needs cluster mode",
	     [](const Call &) { return error_response(503, "cluster sysdump requires cluster mode"); });
}

} // namespace

void add_diagnostics_routes(Routes &routes, Services &services)
{
	add_health(routes, services);
	add_numbers(routes, services);
	add_observations(routes, services);
	add_streams(routes, services);
	add_sysdump(routes, services);
}

} // namespace neuwerk::api
