// One step through a node of the diagram.
#include "path/decide.h"

#include <doctest/doctest.h>

#include <cstdint>

namespace {

// Slices that begin at 0, 100 and 0xffffffff; unused slots repeat the last, as the compiler leaves them.
nw_policy_node three_slices()
{
	nw_policy_node node{};
	for (int i = 0; i < NW_NODE_SLICES; i++) {
		node.key[i] = i == 0 ? 0 : i == 1 ? 100 : 0xffffffff;
		node.ref[i] = NW_REF(NW_FIELD_DECISION, i < 2 ? i : 2);
	}
	return node;
}

std::uint32_t slice_of(std::uint32_t value)
{
	const nw_policy_node node = three_slices();
	const std::uint32_t values[NW_FIELD_COUNT] = {0, value, 0, 0};
	return NW_REF_INDEX(nw_decide_step(&node, NW_FIELD_DESTINATION, values));
}

} // namespace

TEST_CASE("a value falls into the slice that begins at or below it, to the last value of 32 bits")
{
	CHECK(slice_of(0) == 0);
	CHECK(slice_of(99) == 0);
	CHECK(slice_of(100) == 1);
	CHECK(slice_of(0x7fffffff) == 1);
	CHECK(slice_of(0x80000000) == 1);
	CHECK(slice_of(0xfffffffe) == 1);
	CHECK(slice_of(0xffffffff) == 2);
}

TEST_CASE("ICMP has a type and code in place of ports")
{
	nw_tuple tuple{};
	tuple.protocol = NW_PROTOCOL_ICMP;
	tuple.source_port_be = NW_BE16(77);
	std::uint32_t values[NW_FIELD_COUNT];
	nw_decide_fields(&tuple, 3, 4, values);
	CHECK(values[NW_FIELD_SERVICE] == 0x010304);
	CHECK(values[NW_FIELD_SOURCE_PORT] == 77);

	tuple.protocol = NW_PROTOCOL_TCP;
	tuple.destination_port_be = NW_BE16(443);
	nw_decide_fields(&tuple, 3, 4, values);
	CHECK(values[NW_FIELD_SERVICE] == (6u << 16 | 443));
}
