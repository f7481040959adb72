// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The one frame that the benchmark sends, and how flows are told apart: by source port.
#pragma once

#include "path/packet.h"

struct nw_bench_frame {
	struct nw_wire_ethernet ethernet;
	struct nw_wire_ipv4 ip;
	struct nw_wire_udp udp;
	__u8 payload[18];
} __attribute__((packed));
static_assert(sizeof(struct nw_bench_frame) == 60, "the smallest Ethernet frame, without its check sequence");

enum {
	NW_BENCH_BATCH = 64,
	NW_BENCH_BACKLOG = 128, // frames that wait at the device at most; a veth ring holds 256
};

// The only element of the map `settings`, shared with user space.
struct nw_bench_settings {
	struct nw_bench_frame frame; // of flow 0, checksums filled
	__u32 ifindex;               // where generated frames leave
	__u32 flows;                 // 1 to 50000
	__u32 device_task;           // id of the thread that polls the device's receiving interface
	__u64 sent;                  // written by the generator
	__u64 taken;                 // frames that the device polled, written when it did
};

#ifdef __bpf__
// By words: of a packed struct the compiler would copy single bytes.
NW_STEP void nw_bench_copy(struct nw_bench_frame *to, const struct nw_bench_frame *from)
{
	__u32 *target = (__u32 *)to;
	const __u32 *source = (const __u32 *)from;
	for (__u32 i = 0; i < sizeof(*to) / sizeof(*target); i++)
		target[i] = source[i];
}
#endif
