// Readiness: the checks, their order and their words.
#include "daemon/readiness.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::daemon;

namespace {

Circumstances all_well()
{
	return {.poller_error = {},
		.missing = {},
		.policy_ready = true,
		.generation = 7,
		.draining = false,
		.detached = {},
		.flow_lines_used = 10,
		.flow_lines = 1000};
}

} // namespace

TEST_CASE("a node is ready when every gating check is ok, in the fixed order")
{
	const auto checks = checks_of(all_well());
	CHECK(is_ready(checks));
	std::string order;
	for (const Check &check : checks)
		order += check.name + ' ';
	CHECK(order == "dataplane_running dataplane_config policy_ready dns_allowlist service_plane draining "
		       "cluster policy_replication xdp_attached flow_table_headroom ");
}

TEST_CASE("each gating check alone makes a node not ready, the others only show")
{
	const struct {
		const char *name;
		void (*spoil)(Circumstances &);
		bool gating;
	} rows[] = {
		{"dataplane_running", [](Circumstances &now) { now.poller_error = "no poller answers"; },
		 true},
		{"dataplane_config", [](Circumstances &now) { now.missing = "interface in0 is down"; }, true},
		{"policy_ready", [](Circumstances &now) { now.policy_ready = false; }, true},
		{"draining", [](Circumstances &now) { now.draining = true; }, true},
		{"xdp_attached", [](Circumstances &now) { now.detached = {"in0"}; }, false},
		{"flow_table_headroom", [](Circumstances &now) { now.flow_lines_used = 900; }, false},
	};
	for (const auto &row : rows) {
		CAPTURE(row.name);
		Circumstances now = all_well();
		row.spoil(now);
		const auto checks = checks_of(now);
		CHECK(is_ready(checks) == !row.gating);
		for (const Check &check : checks)
			CHECK(check.ok == (check.name != row.name));
	}
}

TEST_CASE("readiness is JSON whatever the details hold, and says nothing about what is as it should be")
{
	CHECK(to_json({{"a", true, "x"}, {"b", false, "a \"quote\""}, {"c", true, "10 of 20", false}}) ==
	      R"({"ready":false,"checks":[{"name":"a","ok":true,"detail":null},)"
	      R"({"name":"b","ok":false,"detail":"a \"quote\""},)"
	      R"({"name":"c","ok":true,"detail":"10 of 20"}]})");
}

TEST_CASE("a failing check opens with the words of the specification and names the cause")
{
	Circumstances now = all_well();
	now.poller_error = "no poller answers on run/dataplane.sock";
	now.draining = true;
	const auto checks = checks_of(now);
	CHECK(checks[0].detail == "dataplane engine not running: no poller answers on run/dataplane.sock");
	CHECK(checks[5].detail == "instance is draining");
}

TEST_CASE("packets do not depend on the cluster, so its checks are not among the dataplane's")
{
	std::string names;
	for (const Check &check : dataplane_checks(checks_of(all_well())))
		names += check.name + ' ';
	CHECK(names ==
	      "dataplane_running dataplane_config policy_ready dns_allowlist service_plane draining ");
}
