// The checks of /ready.
#include "daemon/readiness.h"

#include "base/text.h"

#include <boost/json.hpp>

#include <algorithm>

namespace neuwerk::daemon {

namespace {

// An open-addressed table with 16 probes refuses flows now and then from about here on.
constexpr std::uint64_t crowded_percent = 60;

Check flow_table_headroom(const Circumstances &circumstances)
{
	const std::uint64_t percent = circumstances.flow_lines == 0 ? 0
								    : circumstances.flow_lines_used * 100 /
									      circumstances.flow_lines;
	return {.name = "flow_table_headroom",
		.ok = percent < crowded_percent,
		.detail = text(circumstances.flow_lines_used, " of ", circumstances.flow_lines,
			       " lines in use (", percent, " %)"),
		.gating = false};
}

Check xdp_attached(const Circumstances &circumstances)
{
	std::string names;
	for (const std::string &interface : circumstances.detached)
		names += names.empty() ? interface : ", " + interface;
	return {.name = "xdp_attached",
		.ok = names.empty(),
		.detail = names.empty() ? "on every data port" : "no XDP program on " + names,
		.gating = false};
}

} // namespace

std::vector<Check> checks_of(const Circumstances &circumstances)
{
	const auto or_else = [](const std::string &fault, const char *fine) {
		return fault.empty() ? fine : fault;
	};
	return {
		{"dataplane_running", circumstances.poller_error.empty(),
		 or_else(circumstances.poller_error, "the poller answers")},
		{"dataplane_config", circumstances.missing.empty(),
		 or_else(circumstances.missing, "every data port is up and has an address")},
		{"policy_ready", circumstances.policy_ready,
		 circumstances.policy_ready ? text("generation ", circumstances.generation)
					    : std::string("no policy is published: everything is dropped")},
		{"draining", !circumstances.draining, circumstances.draining ? "shutting down" : "no"},
		xdp_attached(circumstances),
		flow_table_headroom(circumstances),
	};
}

bool is_ready(const std::vector<Check> &checks)
{
	return std::ranges::all_of(checks, [](const Check &check) { return check.ok || !check.gating; });
}

std::string to_json(const std::vector<Check> &checks)
{
	boost::json::array list;
	for (const Check &check : checks)
		list.push_back({{"name", check.name}, {"ok", check.ok}, {"detail", check.detail}});
	return boost::json::serialize(
		boost::json::object{{"ready", is_ready(checks)}, {"checks", std::move(list)}});
}

} // namespace neuwerk::daemon
