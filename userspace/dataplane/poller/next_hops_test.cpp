// Indices, MACs and routes of the next-hop array, with a kernel made of a few values.
#include "dataplane/poller/next_hops.h"

#include "path/line.h"

#include <doctest/doctest.h>

#include <map>
#include <vector>

using namespace neuwerk::dataplane;

namespace {

constexpr std::uint32_t inside_ifindex = 11, outside_ifindex = 12, management_ifindex = 13;
constexpr Mac some_mac = {2, 0, 0, 0, 7, 7}, other_mac = {2, 0, 0, 0, 8, 8};

constexpr __be32 address(std::uint8_t last)
{
	return NW_BE32(0xcb007100u | last); // 203.0.113.0/24
}

struct FakeKernel final : Kernel {
	std::optional<Neighbour> route(__be32 destination_be) override
	{
		questions++;
		const auto found = routes.find(destination_be);
		return found == routes.end() ? std::nullopt : std::optional(found->second);
	}
	std::optional<Mac> known_mac(Neighbour) override
	{
		return known;
	}
	void manage(Neighbour neighbour) override
	{
		managed.push_back(neighbour);
	}
	void forget(Neighbour neighbour) override
	{
		forgotten.push_back(neighbour);
	}
	std::optional<Mac> known; // of every neighbour
	std::map<__be32, Neighbour> routes;
	std::vector<Neighbour> managed, forgotten;
	int questions = 0;
};

struct World {
	World()
	{
		config.port_count = 2;
		config.port[0] = {.ifindex = inside_ifindex, .mtu_bytes = 1500, .mac = {2, 0, 0, 0, 0, 1}};
		config.port[1] = {.ifindex = outside_ifindex, .mtu_bytes = 1400, .mac = {2, 0, 0, 0, 0, 2}};
		for (std::uint8_t last = 1; last < 100; last++)
			kernel.routes[address(last)] = {outside_ifindex, address(last)};
		kernel.routes[address(200)] = {outside_ifindex, address(1)}; // by a gateway
		kernel.routes[address(201)] = {management_ifindex, address(1)};
	}
	nw_next_hop read(std::uint16_t index) const
	{
		nw_next_hop hop{};
		CHECK(nw_read_sequenced(&hops[index], &hop, NW_NEXT_HOP_WORDS) == NW_READ_stable);
		return hop;
	}
	nw_config config{};
	std::vector<nw_next_hop> hops{8};
	FakeKernel kernel;
};

} // namespace

TEST_CASE("a neighbour that the kernel keeps resolved already is usable at once")
{
	World world;
	world.kernel.known = some_mac;
	NextHopTable table(world.hops, world.config, world.kernel);
	const std::uint16_t index = table.resolve(address(1));
	REQUIRE(index != 0);
	CHECK(world.read(index).mtu_bytes == 1400);
	CHECK(std::equal(some_mac.begin(), some_mac.end(), world.read(index).destination_mac));
	CHECK(table.unresolved() == 0);
}

TEST_CASE("a new neighbour gets an index at once and its MAC when the kernel knows it")
{
	World world;
	NextHopTable table(world.hops, world.config, world.kernel);
	const std::uint16_t index = table.resolve(address(1));
	REQUIRE(index != 0);
	CHECK(world.read(index).mtu_bytes == 0);
	CHECK(table.unresolved() == 1);
	CHECK(world.kernel.managed == std::vector<Neighbour>{{outside_ifindex, address(1)}});

	table.on_neighbour({outside_ifindex, address(1)}, some_mac);
	const nw_next_hop hop = world.read(index);
	CHECK(hop.mtu_bytes == 1400);
	CHECK(hop.port == 1);
	CHECK(std::equal(some_mac.begin(), some_mac.end(), hop.destination_mac));
	CHECK(hop.source_mac[5] == 2);
	CHECK(table.unresolved() == 0);
	CHECK(table.resolved_count() == 1);
}

TEST_CASE("destinations behind one gateway share its index, and the kernel is asked once per destination")
{
	World world;
	NextHopTable table(world.hops, world.config, world.kernel);
	const std::uint16_t index = table.resolve(address(1));
	CHECK(table.resolve(address(200)) == index);
	CHECK(table.resolve(address(200)) == index);
	CHECK(world.kernel.questions == 2);
	CHECK(world.kernel.managed.size() == 1);
}

TEST_CASE("a destination without a route, or by an interface that is no data port, has no next hop")
{
	World world;
	NextHopTable table(world.hops, world.config, world.kernel);
	CHECK(table.resolve(address(250)) == 0);
	CHECK(table.resolve(address(201)) == 0);
	CHECK(world.kernel.managed.empty());
}

TEST_CASE("a changed MAC is one write, a lost neighbour stops the flow of packets, and the index stays")
{
	World world;
	NextHopTable table(world.hops, world.config, world.kernel);
	const std::uint16_t index = table.resolve(address(1));
	table.on_neighbour({outside_ifindex, address(1)}, some_mac);
	const std::uint32_t sequence = world.hops[index].sequence;
	table.on_neighbour({outside_ifindex, address(1)}, some_mac);
	CHECK(world.hops[index].sequence == sequence);
	table.on_neighbour({outside_ifindex, address(1)}, other_mac);
	CHECK(world.hops[index].sequence == sequence + 2);
	CHECK(world.read(index).destination_mac[5] == 8);
	table.on_neighbour({outside_ifindex, address(1)}, {});
	CHECK(world.read(index).mtu_bytes == 0);
	CHECK(table.resolve(address(1)) == index);
}

TEST_CASE("a route that changes is asked for again")
{
	World world;
	NextHopTable table(world.hops, world.config, world.kernel);
	const std::uint16_t before = table.resolve(address(200));
	world.kernel.routes[address(200)] = {outside_ifindex, address(2)};
	CHECK(table.resolve(address(200)) == before);
	table.on_routes_changed();
	CHECK(table.resolve(address(200)) != before);
}

TEST_CASE("a link that changes its MAC or MTU changes every next hop on it; a link that is down has none")
{
	World world;
	NextHopTable table(world.hops, world.config, world.kernel);
	const std::uint16_t index = table.resolve(address(1));
	table.on_neighbour({outside_ifindex, address(1)}, some_mac);
	table.on_link(outside_ifindex, 9000, other_mac, true);
	CHECK(world.read(index).source_mac[5] == 8);
	CHECK(world.read(index).mtu_bytes == NW_MTU_MAX_BYTES);
	table.on_link(outside_ifindex, 1280, other_mac, false);
	CHECK(world.read(index).mtu_bytes == 0);
	table.on_neighbour({outside_ifindex, address(1)}, some_mac);
	CHECK(world.read(index).mtu_bytes == 0);
	table.on_link(outside_ifindex, 1280, other_mac, true);
	CHECK(world.kernel.managed.size() == 2); // asked to find it anew
	table.on_neighbour({outside_ifindex, address(1)}, some_mac);
	CHECK(world.read(index).mtu_bytes == 1280);
}

TEST_CASE("a restarted poller finds its indices as they were, and half-written ones unresolved")
{
	World world;
	std::uint16_t first = 0, second = 0;
	{
		NextHopTable table(world.hops, world.config, world.kernel);
		first = table.resolve(address(1));
		second = table.resolve(address(2));
		table.on_neighbour({outside_ifindex, address(1)}, some_mac);
		table.on_neighbour({outside_ifindex, address(2)}, some_mac);
	}
	world.hops[second].sequence++;
	NextHopTable table(world.hops, world.config, world.kernel);
	CHECK(table.hold(first));
	CHECK(table.hold(second));
	CHECK_FALSE(table.hold(0));
	CHECK_FALSE(table.hold(7));
	CHECK_FALSE(table.hold(8));
	CHECK(table.resolve(address(1)) == first);
	CHECK(table.resolve(address(2)) == second);
	CHECK(world.read(first).mtu_bytes == 1400);
	CHECK(world.read(second).mtu_bytes == 0);
	CHECK(table.unresolved() == 1);
}

TEST_CASE("after a synchronisation, what the kernel does not know is unresolved and asked for")
{
	World world;
	NextHopTable table(world.hops, world.config, world.kernel);
	const std::uint16_t first = table.resolve(address(1)), second = table.resolve(address(2));
	table.on_neighbour({outside_ifindex, address(1)}, some_mac);
	table.on_neighbour({outside_ifindex, address(2)}, some_mac);
	world.kernel.managed.clear();
	table.begin_sync();
	table.on_neighbour({outside_ifindex, address(1)}, some_mac);
	table.end_sync();
	CHECK(world.read(first).mtu_bytes == 1400);
	CHECK(world.read(second).mtu_bytes == 0);
	CHECK(world.kernel.managed == std::vector<Neighbour>{{outside_ifindex, address(2)}});
}

TEST_CASE("an index that nobody held for five minutes is given back, a held one never")
{
	constexpr std::uint64_t minute_ns = 60'000'000'000;
	World world;
	NextHopTable table(world.hops, world.config, world.kernel);
	const std::uint16_t held = table.resolve(address(1));
	REQUIRE(table.hold(held));
	for (std::uint8_t last = 2; last <= 7; last++)
		REQUIRE(table.resolve(address(last)) != 0);
	CHECK(table.resolve(address(8)) == 0); // seven indices are all there are
	for (std::uint64_t minute = 1; minute <= 7; minute++)
		table.tidy(minute * minute_ns);
	CHECK(world.kernel.forgotten.size() == 6);
	CHECK(table.unresolved() == 1);
	CHECK(table.resolve(address(8)) != 0);
	CHECK(table.resolve(address(1)) == held);

	table.release(held);
	for (std::uint64_t minute = 10; minute <= 17; minute++)
		table.tidy(minute * minute_ns);
	CHECK_FALSE(table.hold(held));
}
