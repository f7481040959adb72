// Counting denied packets: one line per key, who gets a line, and what happens when a set is full.
#include "path/denial.h"
#include "path/packet.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>

namespace {

constexpr nw_address sender = {{0, 0, NW_BE32(0xffff), NW_BE32(0x0a000005)}};

nw_denial_key key_of(std::uint32_t destination, std::uint16_t port = 443)
{
	nw_denial_key key{};
	key.destination = {{0, 0, NW_BE32(0xffff), NW_BE32(destination)}};
	key.rule = 3;
	key.service_port_be = NW_BE16(port);
	key.generation = 1;
	key.protocol = NW_PROTOCOL_TCP;
	return key;
}

bool count(nw_denial_set &set, std::uint32_t destination, std::uint32_t ticks)
{
	const nw_denial_key key = key_of(destination);
	return nw_count_denial(&set, &key, &sender, ticks);
}

} // namespace

TEST_CASE("packets of one key share a line, which remembers the last source and time")
{
	nw_denial_set set{};
	for (std::uint32_t i = 0; i < 5; i++)
		CHECK(count(set, 0xc6336407, 100 + i));

	CHECK(set.way[0].sequence == 2);
	CHECK(set.way[0].count == 5);
	CHECK(set.way[0].last_ticks == 104);
	CHECK(set.way[0].source.word_be[3] == sender.word_be[3]);
	CHECK(set.way[1].sequence == 0);
}

TEST_CASE("a fifth key finds no line in a full set, and its packets are not counted as anybody else's")
{
	nw_denial_set set{};
	for (std::uint32_t i = 0; i < NW_DENIAL_WAYS; i++)
		CHECK(count(set, i, 100));

	CHECK_FALSE(count(set, 99, 100));
	CHECK_FALSE(count(set, 99, 200)); // rested, but nobody has read what they counted
	for (const nw_denial &line : set.way)
		CHECK(line.count == 1);
}

TEST_CASE("a line goes to another key once it is read to the end and rested, and its count goes on")
{
	nw_denial_set set{};
	for (std::uint32_t i = 0; i < NW_DENIAL_WAYS; i++)
		CHECK(count(set, i, 100));
	set.way[2].counted = set.way[2].count;

	CHECK_FALSE(count(set, 99, 101));
	CHECK(count(set, 99, 100 + NW_DENIAL_REST_TICKS));
	CHECK(set.way[2].key.destination.word_be[3] == NW_BE32(99));
	CHECK(set.way[2].sequence == 4);
	CHECK(set.way[2].count == 2);
	CHECK(set.way[2].counted == 1);
}

TEST_CASE("keys that differ in one field are different keys, and every set but the first is used")
{
	nw_denial_set set{};
	const nw_denial_key key = key_of(1);
	nw_denial_key others[4] = {key, key, key, key};
	others[0].group = 7;
	others[1].generation = 2;
	others[2].service_port_be = NW_BE16(444);
	others[3].kind = 1;
	CHECK(nw_count_denial(&set, &key, &sender, 1));
	for (const nw_denial_key &other : others)
		CHECK_FALSE(nw_is_denial_of(&set.way[0], &other));

	std::set<std::uint32_t> used;
	for (std::uint32_t i = 0; i < 20'000; i++) {
		const nw_denial_key each = key_of(i);
		used.insert(nw_denial_set_of(&each, 0x1234));
	}
	CHECK(used.size() == NW_DENIAL_SETS - 1);
	CHECK(*used.begin() == 1);
	CHECK(*used.rbegin() == NW_DENIAL_SETS - 1);
}
