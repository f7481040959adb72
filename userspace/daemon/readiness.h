// Whether this node does its work: the checks of /ready, in their fixed order (spec/http-api §5.1, then
// ours), from plain facts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace neuwerk::daemon {

struct Check {
	std::string name;
	bool ok;
	std::string detail; // for an operator
	bool gating = true; // false: shown, but /ready does not depend on it
};

// What this build has no engine for (DNS proxy, service plane, cluster) is never a reason not to be ready.
struct Circumstances {
	std::string poller_error; // empty: the poller answers
	std::string missing;      // empty: the data ports have what they need
	bool policy_ready;
	std::uint32_t generation;
	bool draining;
	std::vector<std::string> detached; // interfaces without our XDP program
	std::uint64_t flow_lines_used;
	std::uint64_t flow_lines;
};

[[nodiscard]] std::vector<Check> checks_of(const Circumstances &circumstances);
[[nodiscard]] bool is_ready(const std::vector<Check> &checks);

// Of all checks, those that packets depend on (spec/cluster: /ready/dataplane).
[[nodiscard]] std::vector<Check> dataplane_checks(const std::vector<Check> &checks);

// {"ready":true,"checks":[{"name":"…","ok":true,"detail":null}]}: the detail of a gating check that is ok is
// null.
[[nodiscard]] std::string to_json(const std::vector<Check> &checks);

} // namespace neuwerk::daemon
