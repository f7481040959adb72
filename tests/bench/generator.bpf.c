// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Sends frames of many flows, round robin, at the pace that is set (BPF_F_TEST_XDP_LIVE_FRAMES).
#include "frame.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nw_bench_settings);
} settings SEC(".maps");

// One core generates.
static __u32 turn;
static __u32 in_batch;
static __u64 due_ns;

static long is_due(__u32 round, void *unused)
{
	return bpf_ktime_get_ns() >= due_ns;
}

// At the start of a batch: spins until it is due. What is late is not made up for.
static void wait_for_pace(__u32 gap_ns)
{
	if (in_batch++ % NW_BENCH_BATCH)
		return;
	__u64 now_ns = bpf_ktime_get_ns();
	if (now_ns < due_ns)
		bpf_loop(1 << 20, is_due, NULL, 0);
	else
		due_ns = now_ns;
	due_ns += gap_ns;
}

SEC("xdp")
int generate(struct xdp_md *context)
{
	struct nw_bench_frame *frame = (void *)(long)context->data;
	if ((void *)(frame + 1) > (void *)(long)context->data_end)
		return XDP_DROP;
	__u32 zero = 0;
	const struct nw_bench_settings *set = bpf_map_lookup_elem(&settings, &zero);
	if (!set)
		return XDP_DROP;

	wait_for_pace(*(const volatile __u32 *)&set->batch_gap_ns);
	nw_bench_copy(frame, &set->frame);
	__u32 flow = turn;
	turn = flow + 1 >= set->flows ? 0 : flow + 1;
	frame->udp.source_be = NW_BE16(NW_HOST16(set->frame.udp.source_be) + flow);
	// The sum grows by what the port grew (RFC 1624, eqn. 3); 0 stands for "no checksum" and is sent as
	// ffff.
	__u32 sum = (__u16)~NW_HOST16(set->frame.udp.checksum_be) + flow;
	sum = (sum & 0xffff) + (sum >> 16);
	__u16 checksum = ~sum;
	frame->udp.checksum_be = NW_BE16(checksum ? checksum : 0xffff);
	return bpf_redirect(set->ifindex, 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
