// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The compiled policy as it lies in the maps: a decision diagram of search nodes, and the decisions it ends
// in.
//
// The diagram asks one field of the packet after the other (source, destination, service, source port).
// A node splits the 32-bit range of one field at up to 16 points; the slice that the packet's value falls
// into names the next node or the decision. A field with more than 16 slices takes several levels of nodes.
// Two halves exist; generation N lies in half N & 1, and the map `policy_active` holds N. Generation 0: none.
#pragma once

#include <linux/types.h>

// What a node asks for. Host byte order; IPv4 packets only as yet.
enum nw_field {
	NW_FIELD_SOURCE,      // source address
	NW_FIELD_DESTINATION, // destination address
	NW_FIELD_SERVICE,     // protocol << 16 | destination port; for ICMP protocol << 16 | type << 8 | code
	NW_FIELD_SOURCE_PORT, // source port; for ICMP the identifier; 0 for other protocols
	NW_FIELD_COUNT,
	NW_FIELD_DECISION = 15, // not a field: the reference is the index of a decision
};

// A reference: field in the upper 4 bits, index (of a node, or of a decision) in the lower 28.
#define NW_REF(field, index) (((__u32)(field) << 28) | (__u32)(index))
#define NW_REF_FIELD(ref) ((ref) >> 28)
#define NW_REF_INDEX(ref) ((ref)&0x0fffffffu)

enum {
	NW_NODE_SLICES = 16,
	NW_DECIDE_STEPS_MAX = 24, // nodes on the longest path; the compiler refuses a deeper diagram
};

// Slice i holds the values key[i] <= value < key[i + 1]. key[0] of a field's first node is 0. Keys ascend;
// unused slots repeat the last key and the last reference.
struct nw_policy_node {
	__u32 key[NW_NODE_SLICES];
	__u32 ref[NW_NODE_SLICES];
};
static_assert(sizeof(struct nw_policy_node) == 128, "two cache lines");

enum {
	NW_DECISION_RAW_DENY = 1 << 0, // the matching rule or default says deny (an audit mode may soften it)
	NW_DECISION_AUDIT_DENY = 1 << 1, // the audit-only pass over audit-mode rules denies
};
#define NW_NO_GROUP ((__u16)0xffff) // no group decided: default_policy, or a direction check
#define NW_NO_RULE ((__u32)0xffffffff)

struct nw_decision {
	__u8 verdict;      // NW_VERDICT_forwarded_in_xdp: allowed. Otherwise the drop verdict.
	__u8 flags;        // NW_DECISION_*
	__u16 group;       // index in document order, or NW_NO_GROUP
	__u32 rule;        // index in document order within the group, or NW_NO_RULE (a default decided)
	__u16 audit_group; // who denied in the audit-only pass, or NW_NO_GROUP
	__u16 zero;
	__u32 audit_rule;
};
static_assert(sizeof(struct nw_decision) == 16, "pinned layout");

// The only element of map `policy_active`. Written by neuwerkd alone; the program reads it once per packet.
// The root reference of half h is root[h]; it is written before the generation that uses it.
struct nw_policy_active {
	__u32 generation;
	__u32 root[2];
	__u32 zero;
};
