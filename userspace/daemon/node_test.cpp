// Readiness, metrics and events: what the doors show for given circumstances.
#include "daemon/event_hub.h"
#include "daemon/fake_test_parts.h"
#include "daemon/metrics.h"
#include "daemon/node.h"
#include "daemon/readiness.h"

#include <doctest/doctest.h>

#include <thread>

using namespace neuwerk;
using namespace neuwerk::daemon;
using namespace std::chrono_literals;

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

bool has(const std::string &text, const std::string &part)
{
	return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a node is ready when every gating check is ok, in the fixed order")
{
	const auto checks = checks_of(all_well());
	CHECK(is_ready(checks));
	std::string order;
	for (const Check &check : checks)
		order += check.name + ' ';
	CHECK(order ==
	      "dataplane_running dataplane_config policy_ready draining xdp_attached flow_table_headroom ");
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

TEST_CASE("readiness is JSON whatever the details hold")
{
	CHECK(to_json({{"a", true, "x"}, {"b", false, "a \"quote\""}}) ==
	      R"({"ready":false,"checks":[{"name":"a","ok":true,"detail":"x"},)"
	      R"({"name":"b","ok":false,"detail":"a \"quote\""}]})");
}

TEST_CASE("metrics hold every verdict, every drop and the table")
{
	Numbers numbers{};
	numbers.xdp[NW_VERDICT_forwarded_in_xdp] = {.packets = 5, .bytes = 500};
	numbers.xdp[NW_VERDICT_denied_by_rule] = {.packets = 3, .bytes = 300};
	numbers.poller[NW_VERDICT_dropped_no_port] = {.packets = 2, .bytes = 200};
	numbers.generation = 7;
	numbers.flow_lines = 1024;
	numbers.flow_lines_used = 256;
	numbers.poller_numbers = {
		.active_flows = 128, .ring_drops = 4, .events_lost = 6, .unresolved_next_hops = 1};

	const std::string text = metrics_text(numbers);

	CHECK(has(text, "# TYPE xdp_verdicts_total counter\n"));
	CHECK(has(text, "xdp_verdicts_total{verdict=\"forwarded_in_xdp\"} 5\n"));
	CHECK(has(text, "xdp_verdict_bytes_total{verdict=\"forwarded_in_xdp\"} 500\n"));
	CHECK(has(text, "dp_drops_total{stage=\"xdp\",reason=\"denied_by_rule\"} 3\n"));
	CHECK(has(text, "dp_drops_total{stage=\"poller\",reason=\"dropped_no_port\"} 2\n"));
	CHECK(has(text, "dp_drops_total{stage=\"ring\",reason=\"ring_full\"} 4\n"));
	CHECK_FALSE(has(text, "dp_drops_total{stage=\"xdp\",reason=\"forwarded_in_xdp\"}"));
	CHECK(has(text, "nat_port_exhausted_total 2\n"));
	CHECK(has(text, "dp_policy_generation 7\n"));
	CHECK(has(text, "dp_active_flows 128\n"));
	CHECK(has(text, "dp_flow_table_capacity{worker=\"0\"} 1024\n"));
	CHECK(has(text, "dp_flow_table_utilization_ratio 0.25\n"));
	CHECK(has(text, "dataplane_up 1\n"));
	CHECK(has(text, "poller_events_lost_total 6\n"));

	numbers.poller_numbers.reset();
	const std::string without = metrics_text(numbers);
	CHECK(has(without, "dataplane_up 0\n"));
	CHECK(has(without, "dp_active_flows 128\n")); // half of the lines
}

TEST_CASE("every subscriber gets every event, and one that sleeps is told what it lost")
{
	EventHub hub;
	EventHub::Subscription quick(hub);
	EventHub::Subscription slow(hub);
	v1::Event event;
	event.set_kind("denied");
	for (std::size_t i = 0; i < EventHub::queue_limit_count; i++) {
		hub.publish(event);
		REQUIRE(quick.next(0ms));
	}
	hub.publish(event);
	hub.publish(event);
	CHECK(quick.next(0ms)->lost() == 0);
	CHECK(slow.next(0ms)->lost() == 2);
	hub.publish(event);
	CHECK(slow.next(0ms)->lost() == 0);
	EventHub::Subscription late(hub);
	CHECK_FALSE(late.next(0ms));
}

TEST_CASE("closing the hub wakes who waits")
{
	EventHub hub;
	EventHub::Subscription subscription(hub);
	std::thread closer([&] { hub.close(); });
	CHECK_FALSE(subscription.next(1h));
	closer.join();
}

TEST_CASE("events carry the names of their own generation's rules")
{
	Generations generations;
	const auto policy = policy::parse(
		R"({"default_policy":"deny","source_groups":[{"id":"clients","mode":"enforce",
		   "sources":{"cidrs":["10.0.0.0/24"]},
		   "rules":[{"id":"no-mail","mode":"enforce","action":"deny","match":{"proto":"tcp"}}]}]})",
		policy::Syntax::json);
	REQUIRE(policy);
	generations.add(4, *policy::compile(*policy, {}, {}));
	v1::Event event;
	event.set_generation(4);
	event.set_group(0);
	event.set_rule(0);
	name_event(event, generations);
	CHECK(event.group_name() == "clients");
	CHECK(event.rule_name() == "no-mail");
	event.set_group(NW_NO_GROUP);
	event.set_rule(NW_NO_RULE);
	name_event(event, generations);
	CHECK(event.group_name() == "default");
	CHECK(event.rule_name().empty());
	event.set_generation(3);
	name_event(event, generations);
	CHECK(event.group_name() == "(an earlier policy)");
}

TEST_CASE("the loop answers questions from other threads until it is closed")
{
	EventLoop loop;
	Result<int> answer = 0;
	std::thread asker([&] {
		answer = loop.call([]() -> Result<int> { return 42; });
		loop.stop();
	});
	loop.run();
	asker.join();
	CHECK(answer == 42);

	// A question that waits while the loop closes gets its answer; a later one is refused.
	CHECK(loop.post([&] { answer = 43; }));
	loop.close();
	CHECK(answer == 43);
	const auto refused = loop.call([]() -> Result<int> { return 44; });
	REQUIRE_FALSE(refused);
	CHECK(refused.error().kind == ErrorKind::unavailable);
}
