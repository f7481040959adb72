// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// What the appliance is told about itself: ports, own addresses, SNAT, limits; and where packets leave.
//
// neuwerkd alone writes `config`; the poller alone writes `next_hops`. Both maps are pinned and mmapable.
#pragma once

#include "flow.h"

#include <linux/types.h>

enum {
	NW_PORT_LIMIT = 8,         // data ports of one appliance
	NW_OWN_ADDRESS_LIMIT = 16, // IPv4 addresses on the data ports, SNAT addresses included
	NW_EXTERNAL_LIMIT = 8,     // SNAT addresses
	NW_HOST_SERVICE_LIMIT = 16,
	NW_NEXT_HOP_LIMIT = 65536,
	NW_MTU_MAX_BYTES =
		1900, // layer 3; a frame of this size fits one 2048-byte AF_XDP buffer with its headroom
};

enum nw_side {
	NW_SIDE_UNUSED,
	NW_SIDE_INSIDE,  // packets from here are judged by policy
	NW_SIDE_OUTSIDE, // packets from here need a flow
	NW_SIDE_BOTH,    // one-arm: judged by address alone
};

struct nw_port {
	__u32 ifindex;
	__u16 mtu_bytes; // layer 3
	__u16 zone;
	__u8 side; // enum nw_side
	__u8 zero[3];
	__u8 mac[6];
	__u8 zero2[2];
};
static_assert(sizeof(struct nw_port) == 20, "pinned layout");

struct nw_host_service {
	__be16 port_be;
	__u8 protocol; // IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP (echo; port 0), or 0: unused slot
	__u8 zero;
};

enum nw_snat_mode {
	NW_SNAT_NONE,   // a router with state: addresses and ports stay
	NW_SNAT_AUTO,   // external[0] is the first address of the outside port; absent: nothing leaves
	NW_SNAT_STATIC, // external[0] is configured
};

// Idle time after which a flow in this state ends. Unit: seconds, 1 to 28800 (last_seen_ticks wraps at 18 h).
struct nw_timeouts {
	__u32 tcp_established_s; // also half-closed: one FIN seen (RFC 5382 REQ-5: at least 2 h 4 min)
	__u32 tcp_half_open_s;   // SYN seen, no SYN-ACK
	__u32 tcp_transitory_s;  // SYN-ACK seen, handshake not finished
	__u32 tcp_closing_s;     // both FINs or an RST seen; also how long the external port stays reserved
	__u32 udp_s;             // RFC 4787 REQ-5
	__u32 udp_dns_s;         // UDP to remote port 53
	__u32 icmp_s;            // RFC 5508 REQ-2
	__u32 zero;
};

struct nw_config {
	__u32 abi_version;
	__u32 flow_line_mask; // lines in the table - 1; a power of two
	__u64 hash_seed;      // random per table, so that nobody can aim at one probe sequence
	// Token buckets of path/limit.h, per CPU. Time per token, and time that an idle bucket saves up.
	__u32 miss_interval_ns; // first packets handed to the poller
	__u32 miss_burst_ns;
	__u32 event_interval_ns; // denied and audited packets reported; the rest is only counted
	__u32 event_burst_ns;
	__u32 policy_node_limit; // nodes and decisions in one half
	__u32 policy_decision_limit;
	__u8 snat_mode; // enum nw_snat_mode
	__u8 own_address_count;
	__u8 external_count;
	__u8 port_count;
	__u8 zero[4];
	struct nw_timeouts timeouts;
	__be32 own_address_be[NW_OWN_ADDRESS_LIMIT];
	struct nw_address external[NW_EXTERNAL_LIMIT];
	struct nw_host_service host_service[NW_HOST_SERVICE_LIMIT];
	struct nw_port port[NW_PORT_LIMIT];
};
static_assert(sizeof(struct nw_config) % 8 == 0, "no tail padding");

// Index 0 is never valid. Read under `sequence` as flow lines are (odd: being written).
struct nw_next_hop {
	__u32 sequence;
	__u8 destination_mac[6];
	__u8 source_mac[6];
	__u16 mtu_bytes; // layer 3; 0: unresolved, packets that need it are dropped
	__u8 port;       // index into nw_config.port and into the devmap `tx_ports`
	__u8 zero;
	// Who the neighbour is, for the poller that takes over after a restart. XDP does not look at these.
	__be32 address_be;
	__u32 ifindex;
	__u32 zero2;
} __attribute__((aligned(8)));
static_assert(sizeof(struct nw_next_hop) == 32, "two per cache line");
enum { NW_NEXT_HOP_WORDS = sizeof(struct nw_next_hop) / 8 };
