// Lines under publication, burial and reuse, with readers in other threads.
#include "dataplane/flows/flow_table.h"

#include "dataplane/flows/test_world.h"
#include "path/line.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using namespace neuwerk::dataplane;
using namespace neuwerk::dataplane::test;

namespace {

constexpr std::uint64_t now_ns = 1'000 * tick_ns;

nw_flow_line line_with_port(std::uint16_t port)
{
	nw_flow_line line{};
	line.protocol = NW_PROTOCOL_UDP;
	line.inside = nw_mapped_ipv4(NW_BE32(client));
	line.remote = nw_mapped_ipv4(NW_BE32(server));
	line.inside_port_be = NW_BE16(port);
	line.external_port_be = NW_BE16(port);
	line.external = NW_NOT_TRANSLATED;
	return line;
}

std::uint16_t first_port_at(const World &world, std::uint32_t slot, std::uint16_t from)
{
	for (std::uint16_t port = from;; port++) {
		const nw_flow_line line = line_with_port(port);
		const nw_tuple tuple = nw_outbound_tuple(&line);
		if ((nw_flow_hash(&tuple, world.config->hash_seed) & world.config->flow_line_mask) == slot)
			return port;
	}
}

} // namespace

TEST_CASE("a published line is found by its own tuple, and a buried one is not")
{
	World world;
	FlowTable table(world.lines, *world.config, 1);
	const nw_flow_line line = line_with_port(40000);
	const nw_tuple tuple = nw_outbound_tuple(&line);

	const auto index = table.publish(line, now_ns);
	REQUIRE(index);
	REQUIRE(table.find(tuple));
	CHECK(table.find(tuple)->index == *index);
	CHECK(table.find(tuple)->line.inside_port_be == NW_BE16(40000));

	table.bury(*index, now_ns);
	CHECK_FALSE(table.find(tuple));
	CHECK(table.is_dead(*index));
}

TEST_CASE("a dead line is passed over, and reused only when no XDP CPU can still stamp it")
{
	World world;
	FlowTable table(world.lines, *world.config, 1);
	const std::uint16_t first = first_port_at(world, 100, 1000);
	const std::uint16_t second = first_port_at(world, 100, first + 1);
	const std::uint16_t third = first_port_at(world, 100, second + 1);
	const std::uint16_t fourth = first_port_at(world, 100, third + 1);
	const auto first_index = table.publish(line_with_port(first), now_ns);
	const auto second_index = table.publish(line_with_port(second), now_ns);
	REQUIRE(first_index == 100);
	REQUIRE(second_index == 101);

	table.bury(*first_index, now_ns);
	const nw_flow_line survivor = line_with_port(second);
	CHECK(table.find(nw_outbound_tuple(&survivor)));
	CHECK(table.publish(line_with_port(third), now_ns + 2 * tick_ns) == 102);
	CHECK(table.publish(line_with_port(fourth), now_ns + 3 * tick_ns) == 100);
}

TEST_CASE("a run of dead lines becomes never-used from its end, and no live line gets lost")
{
	World world;
	FlowTable table(world.lines, *world.config, 1);
	std::vector<std::uint16_t> ports;
	for (std::uint16_t from = 1000; ports.size() < 6; from = ports.back() + 1)
		ports.push_back(first_port_at(world, 200, from));
	for (std::uint32_t i = 0; i < 6; i++)
		REQUIRE(table.publish(line_with_port(ports[i]), now_ns) == 200 + i);
	for (std::uint32_t i : {1u, 2u, 4u, 5u})
		table.bury(200 + i, now_ns);
	const std::uint64_t later_ns = now_ns + 3 * tick_ns;

	table.reclaim(201, later_ns); // live lines behind it
	CHECK(world.lines[201].sequence != 0);
	table.reclaim(205, now_ns + tick_ns); // too young
	CHECK(world.lines[205].sequence != 0);
	table.reclaim(205, later_ns);
	CHECK(world.lines[205].sequence == 0);
	CHECK(world.lines[204].sequence == 0);
	const nw_flow_line live = line_with_port(ports[3]);
	CHECK(table.find(nw_outbound_tuple(&live))->index == 203);

	table.bury(203, later_ns);
	table.reclaim(203, later_ns + 3 * tick_ns);
	CHECK(world.lines[201].sequence == 0); // the whole run in front went with it
	CHECK(world.lines[200].sequence != 0);
}

TEST_CASE("a slot that was reclaimed does not come back with a sequence that a reader may remember")
{
	World world;
	FlowTable table(world.lines, *world.config, 1);
	const nw_flow_line line = line_with_port(40000);
	const auto index = table.publish(line, now_ns);
	const std::uint32_t remembered = world.lines[*index].sequence;
	table.bury(*index, now_ns);
	table.reclaim(*index, now_ns + 3 * tick_ns);
	REQUIRE(world.lines[*index].sequence == 0);

	REQUIRE(table.publish(line, now_ns + 4 * tick_ns) == index);
	CHECK(world.lines[*index].sequence != remembered);
}

TEST_CASE("when sixteen lines near its hash are in use, a line is refused")
{
	World world(16);
	FlowTable table(world.lines, *world.config, 1);
	for (std::uint16_t port = 1; port <= 16; port++)
		REQUIRE(table.publish(line_with_port(port), now_ns));
	CHECK_FALSE(table.publish(line_with_port(17), now_ns));
}

TEST_CASE("a sequence that wraps never says never-used")
{
	World world;
	FlowTable table(world.lines, *world.config, 1);
	const nw_flow_line line = line_with_port(1);
	CHECK(stores_to_publish(line, 0xffffffff).store[9].value == 2);
	CHECK(stores_to_bury(line, 0xffffffff, now_ns).store[3].value == 2);
}

TEST_CASE("a stamp from the future counts as now, any other difference as idleness")
{
	CHECK(ticks_between(10, 13) == 3);
	CHECK(ticks_between(65535, 1) == 2);
	CHECK(ticks_between(11, 10) == 0);
	CHECK(ticks_between(100, 40000) == 39900);
}

TEST_CASE("readers in other threads never see half of one line and half of another")
{
	World world(16);
	FlowTable table(world.lines, *world.config, 1);
	std::atomic<bool> stop = false;
	std::atomic<int> torn = 0, read = 0;
	const auto reader = [&] {
		while (!stop.load(std::memory_order_relaxed)) {
			for (nw_flow_line &shared : world.lines) {
				nw_flow_line line{};
				if (nw_read_sequenced(&shared, &line, NW_LINE_WORDS + 1) != NW_READ_stable ||
				    line.protocol == NW_LINE_PROTOCOL_DEAD)
					continue;
				const std::uint32_t mark = line.judged_generation;
				torn += line.inside.word_be[0] != mark || line.remote.word_be[3] != mark ||
					line.inside_port_be != (mark & 0xffff) || line.traffic != mark;
				read++;
			}
		}
	};
	std::thread first(reader), second(reader);
	std::uint64_t time_ns = now_ns;
	for (std::uint32_t mark = 1; mark <= 100'000 || read < 1000; mark++) {
		nw_flow_line line = line_with_port(1);
		line.inside = {{mark, mark, mark, mark}};
		line.remote = line.inside;
		line.inside_port_be = line.external_port_be = mark & 0xffff;
		line.judged_generation = mark;
		line.traffic = mark;
		const auto index = table.publish(line, time_ns);
		REQUIRE(index);
		time_ns += 4 * tick_ns;
		table.bury(*index, time_ns);
		if (mark % 3 == 0)
			table.reclaim(*index, time_ns + 4 * tick_ns);
	}
	stop = true;
	first.join();
	second.join();
	CHECK(torn == 0);
}
