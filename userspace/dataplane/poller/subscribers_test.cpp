// Events on their way from the packet thread to those who watch.
#include "dataplane/poller/subscribers.h"

#include <doctest/doctest.h>

using namespace neuwerk::dataplane;
using namespace std::chrono_literals;

TEST_CASE("a full ring loses events and says how many; the packet thread never waits")
{
	EventRing ring;
	for (std::uint64_t i = 0; i < EventRing::capacity + 5; i++)
		ring.push({.event = {.time_ns = i}, .traffic = {}});
	CHECK(ring.lost() == 5);
	for (std::uint64_t i = 0; i < EventRing::capacity; i++)
		REQUIRE(ring.pop()->event.time_ns == i);
	CHECK_FALSE(ring.pop());
}

TEST_CASE("every subscriber gets every event, in order")
{
	Subscribers subscribers;
	REQUIRE(subscribers.start());
	const auto first = subscribers.subscribe(), second = subscribers.subscribe();
	for (std::uint64_t i = 0; i < 1000; i++)
		subscribers.event({.time_ns = i}, {});
	for (const auto &subscription : {first, second})
		for (std::uint64_t i = 0; i < 1000; i++) {
			const auto received = subscription->next(10s);
			REQUIRE(received);
			REQUIRE(received->event.time_ns == i);
			REQUIRE(received->lost == 0);
		}
	CHECK_FALSE(first->next(0ms));
}

TEST_CASE("who does not keep up loses the oldest events and is told how many")
{
	Subscribers subscribers;
	REQUIRE(subscribers.start());
	const auto slow = subscribers.subscribe(), fast = subscribers.subscribe();
	constexpr std::uint64_t count = 5000; // a queue holds 4096
	for (std::uint64_t i = 0; i < count; i++)
		subscribers.event({.time_ns = i}, {});
	std::uint64_t seen = 0, lost = 0;
	while (seen + lost < count) {
		const auto received = fast->next(10s);
		REQUIRE(received);
		seen++;
		lost += received->lost;
	}
	subscribers.unsubscribe(fast);
	subscribers.stop(); // everything is delivered now
	const auto received = slow->next(0ms);
	REQUIRE(received);
	CHECK(received->lost == count - 4096);
	CHECK(received->event.time_ns == count - 4096);
}
