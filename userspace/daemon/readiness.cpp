// The checks of /ready.
#include "daemon/readiness.h"

#include "base/text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <string_view>

namespace neuwerk::daemon {

namespace {

constexpr std::string_view dataplane_check_names[] = {"dataplane_running", "dataplane_config", "policy_ready",
						      "dns_allowlist",     "service_plane",    "draining"};

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
	const std::string &poller = circumstances.poller_error, &missing = circumstances.missing;
	return {
		{"dataplane_running", poller.empty(),
		 poller.empty() ? "the poller answers" : text("dataplane engine not running: ", poller)},
		{"dataplane_config", missing.empty(),
		 missing.empty() ? "every data port is up and has an address"
				 : text("missing dataplane config: ", missing)},
		{"policy_ready", circumstances.policy_ready,
		 circumstances.policy_ready
			 ? text("generation ", circumstances.generation)
			 : std::string("policy store not initialized: everything is dropped")},
		{"dns_allowlist", true, "no DNS proxy in this build"},
		{"service_plane", true, "no service plane in this build"},
		{"draining", !circumstances.draining, circumstances.draining ? "instance is draining" : "no"},
		{"cluster", true, "standalone"},
		{"policy_replication", true, "standalone"},
		xdp_attached(circumstances),
		flow_table_headroom(circumstances),
	};
}

bool is_ready(const std::vector<Check> &checks)
{
	return std::ranges::all_of(checks, [](const Check &check) { return check.ok || !check.gating; });
}

std::vector<Check> dataplane_checks(const std::vector<Check> &checks)
{
	std::vector<Check> chosen;
	for (const Check &check : checks)
		if (std::ranges::find(dataplane_check_names, check.name) != std::end(dataplane_check_names))
			chosen.push_back(check);
	return chosen;
}

std::string to_json(const std::vector<Check> &checks)
{
	boost::json::array list;
	for (const Check &check : checks) {
		const bool is_silent = check.ok && check.gating;
		list.push_back(
			{{"name", check.name},
			 {"ok", check.ok},
			 {"detail", is_silent ? boost::json::value() : boost::json::value(check.detail)}});
	}
	return boost::json::serialize(
		boost::json::object{{"ready", is_ready(checks)}, {"checks", std::move(list)}});
}

} // namespace neuwerk::daemon
