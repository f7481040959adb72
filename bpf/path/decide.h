// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Step 3 of the corridor: from a packet to the decision of the policy, one node of the diagram at a time.
//
// Callers own the loop, because they own the memory in which the nodes lie:
//	ref = root; while (NW_REF_FIELD(ref) != NW_FIELD_DECISION) ref = nw_decide_step(node of ref, field);
#pragma once

#include "abi/flow.h"
#include "abi/policy.h"
#include "path/packet.h"

// The values that the diagram asks for, in host byte order, indexed by enum nw_field.
// `type` and `code` are looked at for ICMP only; ICMP has no destination port (spec/dataplane §2.4).
NW_STEP void nw_decide_fields(const struct nw_tuple *tuple, __u8 type, __u8 code, __u32 *field)
{
	bool is_icmp = tuple->protocol == NW_PROTOCOL_ICMP;
	__u32 low = is_icmp ? (__u32)type << 8 | code : NW_HOST16(tuple->destination_port_be);
	field[NW_FIELD_SOURCE] = NW_HOST32(tuple->source.word_be[3]);
	field[NW_FIELD_DESTINATION] = NW_HOST32(tuple->destination.word_be[3]);
	field[NW_FIELD_SERVICE] = (__u32)tuple->protocol << 16 | low;
	field[NW_FIELD_SOURCE_PORT] = NW_HOST16(tuple->source_port_be);
}

// The reference of the slice that the asked field falls into. Branch-free: sixteen subtractions, whose sign
// bits are counted, cost less than mispredicted comparisons and one path for the verifier to follow.
// `field` is enum nw_field of the reference that led here.
NW_STEP __u32 nw_decide_step(const struct nw_policy_node *node, __u32 field, const __u32 *values)
{
	__u64 value = values[field & (NW_FIELD_COUNT - 1)];
	__u64 above = 0; // keys greater than the value
	for (int i = 1; i < NW_NODE_SLICES; i++) {
		__u64 difference = value - node->key[i];
		__asm__("" : "+r"(difference)); // keep the compiler from turning the sign bit into a branch
		above += difference >> 63;
	}
	__u64 slice = NW_NODE_SLICES - 1 - above;
	__asm__(""
		: "+r"(slice)); // the compiler knows slice < 16 and would drop the mask; the verifier does
				// not
	return node->ref[slice & (NW_NODE_SLICES - 1)];
}
static_assert((NW_FIELD_COUNT & (NW_FIELD_COUNT - 1)) == 0, "the mask above");
