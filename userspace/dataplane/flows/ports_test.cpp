// Which external port a flow gets, and when there is none left.
#include "dataplane/flows/ports.h"

#include "dataplane/flows/test_world.h"

#include <doctest/doctest.h>

#include <set>

using namespace neuwerk::dataplane;
using namespace neuwerk::dataplane::test;

namespace {

nw_flow_line flow_from(std::uint16_t inside_port, std::uint32_t remote = server,
		       std::uint8_t protocol = NW_PROTOCOL_UDP)
{
	nw_flow_line line{};
	line.protocol = protocol;
	line.inside = nw_mapped_ipv4(NW_BE32(client));
	line.remote = nw_mapped_ipv4(NW_BE32(remote));
	line.inside_port_be = NW_BE16(inside_port);
	line.remote_port_be = NW_BE16(protocol == NW_PROTOCOL_ICMP ? 0 : 443);
	line.kind = NW_LINE_INBOUND;
	return line;
}

// Chooses and publishes, as the tracker does.
std::uint16_t take(FlowTable &table, ExternalPorts &ports, const nw_flow_line &flow, std::uint32_t random)
{
	nw_flow_line line = flow;
	const auto port_be = ports.choose(line, random);
	REQUIRE(port_be);
	line.external_port_be = *port_be;
	REQUIRE(table.publish(line, second_ns));
	ports.taken(line);
	return NW_HOST16(*port_be);
}

} // namespace

TEST_CASE("the inside port is kept where it is free, and replaced where it is not")
{
	World world;
	FlowTable table(world.lines, *world.config, 1);
	ExternalPorts ports(table, *world.config);

	CHECK(take(table, ports, flow_from(40000), 0) == 40000);
	nw_flow_line other = flow_from(40000);
	other.inside = nw_mapped_ipv4(NW_BE32(client + 1));
	CHECK(take(table, ports, other, 0) == 1024);
	CHECK(take(table, ports, flow_from(40000, server + 1), 0) == 40000); // another remote
	CHECK(ports.count_towards(other) == 2);
}

TEST_CASE("a port below 1024 is never used outside")
{
	World world;
	FlowTable table(world.lines, *world.config, 1);
	ExternalPorts ports(table, *world.config);
	CHECK(take(table, ports, flow_from(123), 0) == 1024);
}

TEST_CASE("the search wraps from 65535 to 1024")
{
	World world;
	FlowTable table(world.lines, *world.config, 1);
	ExternalPorts ports(table, *world.config);
	CHECK(take(table, ports, flow_from(1), 0xffffffff) == 65535);
	CHECK(take(table, ports, flow_from(2), 0xffffffff) == 1024);
}

TEST_CASE("an ICMP identifier is never kept while another is free")
{
	World world;
	FlowTable table(world.lines, *world.config, 1);
	ExternalPorts ports(table, *world.config);
	CHECK(take(table, ports, flow_from(1024, server, NW_PROTOCOL_ICMP), 0) == 1025);
	CHECK(take(table, ports, flow_from(40000, server, NW_PROTOCOL_ICMP), 0) == 1024);
}

TEST_CASE("ports of the host's own services are skipped for their protocol only")
{
	World world;
	world.config->host_service[0] = {.port_be = NW_BE16(8080), .protocol = NW_PROTOCOL_TCP};
	FlowTable table(world.lines, *world.config, 1);
	ExternalPorts ports(table, *world.config);
	CHECK(take(table, ports, flow_from(8080, server, NW_PROTOCOL_TCP), 0) == 1024);
	CHECK(take(table, ports, flow_from(8080, server, NW_PROTOCOL_UDP), 0) == 8080);
}

TEST_CASE("64512 flows to one remote succeed, the next fails without a search, and other remotes do not care")
{
	World world(1 << 18);
	world.config->host_service[0] = {.port_be = NW_BE16(8080), .protocol = NW_PROTOCOL_TCP};
	FlowTable table(world.lines, *world.config, 1);
	ExternalPorts ports(table, *world.config);
	std::uint32_t random = 1;
	std::set<std::uint16_t> taken;
	for (std::uint32_t i = 0; i < external_port_count; i++) {
		nw_flow_line line = flow_from(40000);
		line.inside = nw_mapped_ipv4(NW_BE32(client + i));
		taken.insert(take(table, ports, line, random = random * 1664525 + 1013904223));
	}
	CHECK(taken.size() == external_port_count);
	CHECK_FALSE(ports.choose(flow_from(40000), 5));
	CHECK(ports.choose(flow_from(40000, server + 1), 5));
	CHECK(ports.choose(flow_from(40000, server, NW_PROTOCOL_TCP), 5));

	nw_flow_line ended = flow_from(40000);
	ended.external_port_be = NW_BE16(5000);
	table.bury(table.find(nw_inbound_tuple(&ended, world.config.get()))->index, second_ns);
	ports.freed(ended);
	CHECK(ports.choose(flow_from(40000), 5) == NW_BE16(5000));
}

TEST_CASE("counts of many remotes come and go without a trace")
{
	World world(64);
	FlowTable table(world.lines, *world.config, 1);
	ExternalPorts ports(table, *world.config);
	for (int round = 0; round < 100; round++) {
		for (std::uint32_t i = 0; i < 32; i++)
			ports.taken(flow_from(1, server + i * 7 + round));
		for (std::uint32_t i = 0; i < 32; i++)
			REQUIRE(ports.count_towards(flow_from(1, server + i * 7 + round)) == 1);
		for (std::uint32_t i = 0; i < 32; i++)
			ports.freed(flow_from(1, server + i * 7 + round));
		for (std::uint32_t i = 0; i < 32; i++)
			REQUIRE(ports.count_towards(flow_from(1, server + i * 7 + round)) == 0);
	}
}
