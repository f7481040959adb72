// A poller that starts on the table of one that died.
#include "dataplane/flows/tracker.h"

#include "dataplane/flows/test_world.h"

#include <doctest/doctest.h>

using namespace neuwerk::dataplane;
using namespace neuwerk::dataplane::test;

namespace {

nw_verdict send(World &world, const Frame &frame)
{
	auto bytes = bytes_of(frame);
	return world.arrive(bytes, inside_port).verdict;
}

// Everything that must hold of a table right after adoption.
void check_sound(World &world)
{
	int outbound = 0, inbound = 0;
	std::set<std::uint16_t> ports; // of flows to the one remote of these tests
	for (std::uint32_t index = 0; index < world.lines.size(); index++) {
		CHECK(world.lines[index].sequence % 2 == 0);
		const auto line = world.tracker->table().read(index);
		if (!line)
			continue;
		const auto found = world.tracker->table().find(world.tracker->table().tuple_of(*line));
		REQUIRE(found);
		CHECK(found->index == index);
		REQUIRE(world.tracker->notes().has_begun(index));
		const auto partner = world.tracker->table().read(world.tracker->notes().partner(index));
		REQUIRE(partner);
		CHECK(partner->external_port_be == line->external_port_be);
		CHECK(nw_is_inbound(&*partner) != nw_is_inbound(&*line));
		nw_is_inbound(&*line) ? inbound++ : outbound++;
		if (nw_is_inbound(&*line))
			CHECK(ports.insert(line->external_port_be).second);
	}
	CHECK(outbound == inbound);
	CHECK(world.tracker->status().active_flows == static_cast<std::uint64_t>(outbound));
}

// The stores that turned `before` into `after`, in the order of the poller's steps.
struct Step {
	std::uint32_t index;
	LineStore store;
};

void add_steps(std::vector<Step> &steps, std::uint32_t index, const LineStores &stores)
{
	for (std::uint8_t i = 0; i < stores.count; i++)
		steps.push_back({index, stores.store[i]});
}

std::uint32_t line_of(const World &world, bool inbound)
{
	std::uint32_t index = 0;
	while (world.lines[index].sequence == 0 || nw_is_inbound(&world.lines[index]) != inbound ||
	       world.lines[index].inside_port_be != NW_BE16(41000))
		index++;
	return index;
}

} // namespace

TEST_CASE("a restarted poller goes on with the flows, ports and timers that it finds")
{
	World world;
	for (std::uint16_t port = 40000; port < 40020; port++)
		REQUIRE(send(world, {.source_port = port, .destination_port = 5000}) ==
			NW_VERDICT_forwarded_by_poller);
	world.wait_s(100);
	world.next_hops = {};
	world.start();
	check_sound(world);
	CHECK(world.tracker->status().adopted_flows == 20);
	CHECK(world.next_hops.held[outside_hop] == 20);

	auto bytes = bytes_of({.source = client + 1, .source_port = 40000, .destination_port = 5000});
	REQUIRE(world.arrive(bytes, inside_port).verdict == NW_VERDICT_forwarded_by_poller);
	const std::uint16_t port = NW_HOST16(look(bytes).packet.tuple.source_port_be);
	CHECK((port < 40000 || port >= 40020));

	world.wait_s(199); // idle for 299 s now
	CHECK(world.live_lines() == 42);
	world.wait_s(5);
	CHECK(world.live_lines() == 2);
}

TEST_CASE("a poller that died after any store of a publication leaves a whole flow or none")
{
	World reference;
	REQUIRE(send(reference, {.source_port = 40000}) == NW_VERDICT_forwarded_by_poller);
	const std::vector<nw_flow_line> before = reference.lines;
	REQUIRE(send(reference, {.source_port = 41000}) == NW_VERDICT_forwarded_by_poller);
	std::vector<Step> steps;
	for (const bool inbound : {true, false}) {
		const std::uint32_t index = line_of(reference, inbound);
		nw_flow_line line = reference.lines[index];
		add_steps(steps, index, stores_to_publish(line, line.sequence - 1));
	}
	for (std::size_t done = 0; done <= steps.size(); done++) {
		CAPTURE(done);
		World world;
		world.lines = before;
		for (std::size_t i = 0; i < done; i++)
			apply(world.lines[steps[i].index], steps[i].store);
		world.start();
		check_sound(world);
		CHECK(world.live_lines() == (done == steps.size() ? 4 : 2));
		world.wait_s(3);
		REQUIRE(send(world, {.source_port = 41000}) == NW_VERDICT_forwarded_by_poller);
		check_sound(world);
	}
}

TEST_CASE("a poller that died after any store of a burial leaves the other flows alone")
{
	World reference;
	REQUIRE(send(reference, {.source_port = 40000}) == NW_VERDICT_forwarded_by_poller);
	REQUIRE(send(reference, {.source_port = 41000}) == NW_VERDICT_forwarded_by_poller);
	std::vector<Step> steps;
	for (const bool inbound : {false, true}) {
		const std::uint32_t index = line_of(reference, inbound);
		const nw_flow_line &line = reference.lines[index];
		add_steps(steps, index, stores_to_bury(line, line.sequence + 1, reference.now_ns));
	}
	for (std::size_t done = 0; done <= steps.size(); done++) {
		CAPTURE(done);
		World world;
		world.lines = reference.lines;
		for (std::size_t i = 0; i < done; i++)
			apply(world.lines[steps[i].index], steps[i].store);
		world.start();
		check_sound(world);
		CHECK(world.live_lines() == (done == 0 ? 4 : 2));
		world.wait_s(20);
		CHECK(world.used_lines() == 0);
	}
}

TEST_CASE("lines that no poller can have written are buried, never believed")
{
	World world;
	REQUIRE(send(world, {.source_port = 40000}) == NW_VERDICT_forwarded_by_poller);
	std::uint32_t seed = 1;
	for (nw_flow_line &line : world.lines) {
		if (line.sequence != 0)
			continue;
		auto *words = reinterpret_cast<std::uint8_t *>(&line);
		for (std::size_t i = 0; i < sizeof(line); i++)
			words[i] = (seed = seed * 1664525 + 1013904223) >> 24;
		line.protocol = NW_PROTOCOL_UDP;
	}
	world.start();
	check_sound(world);
	CHECK(world.live_lines() == 2);
}

TEST_CASE("a flow that policy denied, or whose next hop means nothing now, is not adopted")
{
	World denied;
	REQUIRE(send(denied, {.source_port = 41000}) == NW_VERDICT_forwarded_by_poller);
	denied.lines[line_of(denied, true)].seen |= NW_SEEN_DENIED;
	denied.start();
	CHECK(denied.live_lines() == 0);

	World lost;
	REQUIRE(send(lost, {.source_port = 41000}) == NW_VERDICT_forwarded_by_poller);
	lost.lines[line_of(lost, true)].next_hop = 3;
	lost.start();
	CHECK(lost.live_lines() == 0);
	CHECK(lost.next_hops.held[outside_hop] == 1); // the first life's hold; the second gave its own back
}
