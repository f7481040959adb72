// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// What XDP tells the poller about a packet: 16 bytes of XDP metadata directly in front of the frame.
//
// A frame without metadata shows whatever the recycled buffer held before, so the poller believes it only
// when magic, generation and the packet's own flow hash agree; otherwise it decides again. The dry-run
// program (explain, tests) leaves the same record, with the verdict in `magic`'s place taken by
// NW_HANDOFF_REPORT and the verdict in `flow_hash`.
#pragma once

#include <linux/types.h>

enum {
	NW_HANDOFF_MAGIC = 0x6e77686f,  // "nwho": for the poller
	NW_HANDOFF_REPORT = 0x6e777270, // "nwrp": written by a dry run
};
#define NW_NO_DECISION ((__u32)0xffffffff) // the packet ended before policy was asked

struct nw_handoff {
	__u32 magic;
	__u32 generation; // of the policy that decided; 0 before any
	__u32 decision;   // index into `policy_decisions` within its half, or NW_NO_DECISION
	__u32 flow_hash;  // nw_flow_hash of the packet's tuple; in a report: enum nw_verdict
};
static_assert(sizeof(struct nw_handoff) == 16, "metadata is a multiple of 4 and at most 32 bytes");
