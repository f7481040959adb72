// Events and the loop: what reaches the doors, and in whose words.
#include "daemon/event_hub.h"
#include "daemon/fake_test_parts.h"
#include "daemon/node.h"

#include <doctest/doctest.h>

#include <thread>

using namespace neuwerk;
using namespace neuwerk::daemon;
using namespace std::chrono_literals;

TEST_CASE("every subscriber gets every event, and one that sleeps is told what it lost")
{
	EventHub hub;
	EventHub::Subscription quick(hub);
	EventHub::Subscription slow(hub);
	v1::Event event;
	event.set_kind("denied");
	for (std::size_t i = 0; i < EventHub::queue_limit_count; i++) {
		hub.publish(event);
		REQUIRE(quick.next());
	}
	hub.publish(event);
	hub.publish(event);
	CHECK(quick.next()->lost() == 0);
	CHECK(slow.next()->lost() == 2);
	hub.publish(event);
	CHECK(slow.next()->lost() == 0);
	EventHub::Subscription late(hub);
	CHECK_FALSE(late.next());
}

TEST_CASE("a subscriber is woken by each event and by the end")
{
	EventHub hub;
	EventHub::Subscription subscription(hub);
	int woken = 0;
	subscription.on_ready([&] { woken++; });
	hub.publish({});
	CHECK(woken == 1);
	hub.close();
	CHECK(woken == 2);
	CHECK_FALSE(subscription.ended()); // one is left
	CHECK(subscription.next());
	CHECK(subscription.ended());
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
	generations.add(4, *policy::compile(*policy, {}, {}), {});
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
