// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// How many packets were denied or audited, per rule and destination: every one is counted, while events are
// only sampled.
//
// The map `denials` is a mmapable array of sets of four lines. Each CPU has a row of its own, and so has the
// poller (the last one): a line has one writer. neuwerkd reads all rows once a second and notes in `counted`
// how far it got. A line is given to another key only when it was read to the end and rested since, so a
// restart of neuwerkd loses no count.
#pragma once

#include "flow.h"

#include <linux/types.h>

enum {
	NW_DENIAL_SETS = 512, // of one row. Set 0 holds no keys: its first line counts what fitted nowhere
	NW_DENIAL_WAYS = 4,   // lines of one set
	NW_DENIAL_REST_TICKS = 2, // nw_ticks without a packet, after which another key may have the line
};

// Compared and hashed as bytes: no padding.
struct nw_denial_key {
	struct nw_address destination;
	__u32 rule;             // NW_NO_RULE: a default decided
	__u16 group;            // NW_NO_GROUP: default_policy
	__be16 service_port_be; // destination port; ICMP: type << 8 | code
	__u32 generation;       // that group and rule belong to
	__u8 kind;              // enum nw_event_kind: denied, audited, flow_denied or no_port
	__u8 verdict;
	__u8 protocol;
	__u8 zero;
} __attribute__((aligned(8)));
static_assert(sizeof(struct nw_denial_key) == 32, "four words");

struct nw_denial {
	__u32 sequence; // of the key: 0: never used; odd: being written; even: stable
	__u32 last_ticks;
	__u32 count;   // packets; wraps; goes on when another key takes the line
	__u32 counted; // neuwerkd's word: packets that it has read
	struct nw_denial_key key;
	struct nw_address source; // of the last packet
} __attribute__((aligned(64)));
static_assert(sizeof(struct nw_denial) == 64, "one cache line");

struct nw_denial_set {
	struct nw_denial way[NW_DENIAL_WAYS];
};
