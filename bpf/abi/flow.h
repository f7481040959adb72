// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The flow table: what a packet looks like as a key, and one 64-byte line per direction of a flow.
//
// Both lines of a flow hold the same identity; `kind` says which direction of travel the line serves:
//   outbound  matches inside → remote, rewrites the source to external
//   inbound   matches remote → external, rewrites the destination to inside
// so one layout serves IPv4 and IPv6, NAT and plain routing. The table is a pinned, mmapable array: it is
// the poller's crash-recovery log too.
//
// Every word has one writer. The poller owns everything up to `external`, under `sequence`; XDP owns the rest
// (the poller sets those words only while it holds the line, that is while `sequence` is odd).
#pragma once

#include <linux/types.h>

// IPv4 stands as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2). Network byte order.
struct nw_address {
	__be32 word_be[4];
};

// One packet as it stands on the wire. Compared and hashed as bytes: no padding.
// ICMP echo: the identifier is the port of the side that asked (source of a request, destination of a
// reply); the other port is 0.
struct nw_tuple {
	struct nw_address source;
	struct nw_address destination;
	__be16 source_port_be;
	__be16 destination_port_be;
	__u16 zone;
	__u8 protocol;
	__u8 zero;
} __attribute__((aligned(8)));
static_assert(sizeof(struct nw_tuple) == 40, "five 64-bit words for the hash");

enum {
	NW_LINE_INBOUND = 1 << 0,    // bit of `kind`; clear: outbound
	NW_LINE_OWNER_SHIFT = 4,     // upper nibble of `kind`: index of the owning poller worker
	NW_LINE_PROTOCOL_DEAD = 255, // `protocol` of a line that was in use: probing goes on past it
};
#define NW_NOT_TRANSLATED ((__u8)255) // `external` of a flow that keeps its addresses and ports

// Bits of `seen`: the TCP flags that passed in this direction, as in the TCP header, and one of ours.
enum {
	NW_SEEN_FIN = 0x01,
	NW_SEEN_SYN = 0x02,
	NW_SEEN_RST = 0x04,
	NW_SEEN_PACKET =
		0x08, // anything at all passed in this direction (the bit of PSH, which nobody needs)
	NW_SEEN_ACK = 0x10,
	NW_SEEN_DENIED = 0x80, // a newer policy denied this flow: nothing passes until the poller removed it
};

struct nw_flow_line {
	__u32 sequence; // 0: never used (ends a probe); odd: being written; even: stable
	__u16 zone;
	__u8 protocol; // IP protocol number, or NW_LINE_PROTOCOL_DEAD
	__u8 kind;
	struct nw_address inside;
	struct nw_address remote;
	__be16 inside_port_be;
	__be16 remote_port_be;
	__be16 external_port_be; // equals inside_port_be when not translated
	__u16 next_hop;          // index into `next_hops`
	__u8 external;           // index into nw_config.external, or NW_NOT_TRANSLATED
	// From here on: XDP's words.
	__u8 seen;
	__u16 last_seen_ticks; // nw_ticks modulo 2^16; on a dead line: when it died
	__u32 judged_generation;
	__u64 traffic; // packets in the high 28 bits, bytes in the low 36; both wrap
} __attribute__((aligned(64)));
static_assert(sizeof(struct nw_flow_line) == 64, "one cache line");
static_assert(__builtin_offsetof(struct nw_flow_line, inside) == 8, "pinned layout");
static_assert(__builtin_offsetof(struct nw_flow_line, inside_port_be) == 40, "pinned layout");
static_assert(__builtin_offsetof(struct nw_flow_line, external) == 48, "pinned layout");
static_assert(__builtin_offsetof(struct nw_flow_line, judged_generation) == 52, "pinned layout");
static_assert(__builtin_offsetof(struct nw_flow_line, traffic) == 56, "pinned layout");

enum {
	NW_FLOW_PROBE_LINES = 64, // lines that a lookup or an insertion visits at most
	NW_TICK_SHIFT = 30,       // one tick is 2^30 ns of CLOCK_MONOTONIC, about 1.07 s
	NW_TRAFFIC_BYTES_BITS =
		36, // the poller harvests at least every 10 s: 64 GiB per direction and harvest
};
