// What follows from the addresses of the data ports.
#include "daemon/surroundings.h"
#include "daemon/fake_test_parts.h"
#include "daemon/netlink.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::daemon;

TEST_CASE("snat auto translates to the first global address of the outside port")
{
	Facts facts = two_ports();
	facts[1].addresses.insert(facts[1].addresses.begin(), {0xa9fe0001, 16, false}); // link-local
	facts[1].addresses.push_back({0xcb007102, 24, true});
	const auto settings = settings_of(two_arm().dataplane, facts);
	REQUIRE(settings);
	CHECK(settings->external == std::vector<std::uint32_t>{0xcb007101});
	CHECK(settings->own_addresses ==
	      std::vector<std::uint32_t>{0x0a000001, 0xa9fe0001, 0xcb007101, 0xcb007102});
	CHECK(describe_snat(two_arm().dataplane, facts) == "auto 203.0.113.1");
}

TEST_CASE("snat auto without an address leaves nothing out, and says so")
{
	Facts facts = two_ports();
	facts[1].addresses.clear();
	CHECK(settings_of(two_arm().dataplane, facts)->external.empty());
	CHECK(describe_snat(two_arm().dataplane, facts) == "auto (no address yet)");
	CHECK(missing_of(two_arm().dataplane, facts) == "interface out0 has no IPv4 address yet");
}

TEST_CASE("a static snat address is our own even before the kernel has it")
{
	Config config = two_arm();
	config.dataplane.snat_mode = NW_SNAT_STATIC;
	config.dataplane.snat_address = 0xc6336409;
	const auto settings = settings_of(config.dataplane, two_ports());
	CHECK(settings->external == std::vector<std::uint32_t>{0xc6336409});
	CHECK(settings->own_addresses.back() == 0xc6336409);
	CHECK(describe_snat(config.dataplane, two_ports()) == "static 198.51.100.9");
	config.dataplane.snat_mode = NW_SNAT_NONE;
	CHECK(settings_of(config.dataplane, two_ports())->external.empty());
}

TEST_CASE("more addresses than the program can hold are an error, not a cut")
{
	Facts facts = two_ports();
	for (std::uint32_t i = 0; i < NW_OWN_ADDRESS_LIMIT; i++)
		facts[0].addresses.push_back({0x0a000100 + i, 24, true});
	const auto settings = settings_of(two_arm().dataplane, facts);
	REQUIRE_FALSE(settings);
	CHECK(settings.error().what == "the data ports carry 18 IPv4 addresses; the limit is 16");
}

TEST_CASE("without internal_cidr the networks of the inside ports are internal, a /32 is none")
{
	Facts facts = two_ports();
	facts[0].addresses.push_back({0x0a090001, 32, true});
	CHECK(surroundings_of(two_arm(), facts).internal == std::vector<model::Prefix>{{0x0a000000, 24}});
	Config configured = two_arm();
	configured.policy.internal = {{0xac100000, 12}};
	CHECK(surroundings_of(configured, facts).internal == std::vector<model::Prefix>{{0xac100000, 12}});
}

TEST_CASE("what the dataplane misses is named")
{
	const DataplaneConfig config = two_arm().dataplane;
	CHECK(missing_of(config, two_ports()).empty());
	Facts facts = two_ports();
	facts[0].up = false;
	CHECK(missing_of(config, facts) == "interface in0 is down");
	facts[0].index = 0;
	CHECK(missing_of(config, facts) == "interface in0 does not exist");
	Facts local = two_ports();
	local[1].addresses[0].global = false;
	CHECK(missing_of(config, local) == "interface out0 has no address to translate to yet");
}

TEST_CASE("the kernel is asked for real: loopback has 127.0.0.1, and a missing interface has index 0")
{
	const auto facts = read_facts({"lo", "no-such-if"});
	REQUIRE(facts);
	REQUIRE(facts->size() == 2);
	CHECK((*facts)[0].index == 1);
	CHECK_FALSE((*facts)[0].has_xdp);
	if ((*facts)[0].up) {
		REQUIRE_FALSE((*facts)[0].addresses.empty());
		CHECK((*facts)[0].addresses[0].address == 0x7f000001);
		CHECK((*facts)[0].addresses[0].length == 8);
		CHECK_FALSE((*facts)[0].addresses[0].global); // scope host
	}
	CHECK((*facts)[1].index == 0);
	CHECK(AddressWatch::open());
}
