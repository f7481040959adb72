// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Sends frames of many flows, round robin, as fast as the device takes them (BPF_F_TEST_XDP_LIVE_FRAMES).
//
// A device that cannot keep up would refuse frames, and refused frames go back to the page pool from which
// the device's own dropped frames are returned: the contention for that pool would be measured. So the
// generator waits while NW_BENCH_BACKLOG frames are under way: the device is always busy and never refuses.
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

static struct nw_bench_settings *nw_settings(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&settings, &zero);
}

// Runs after each poll of the kernel: arguments are the NAPI instance, the frames it handled, and its budget.
SEC("raw_tp/napi_poll")
int count_taken(struct bpf_raw_tracepoint_args *context)
{
	struct nw_bench_settings *set = nw_settings();
	if (set && (__u32)bpf_get_current_pid_tgid() == set->device_task)
		set->taken += (__u32)context->args[1];
	return 0;
}

static long has_room(__u32 round, struct nw_bench_settings **set)
{
	const volatile __u64 *taken = &(*set)->taken;
	return (__s64)((*set)->sent - *taken) < NW_BENCH_BACKLOG;
}

SEC("xdp")
int generate(struct xdp_md *context)
{
	struct nw_bench_frame *frame = (void *)(long)context->data;
	if ((void *)(frame + 1) > (void *)(long)context->data_end)
		return XDP_DROP;
	struct nw_bench_settings *set = nw_settings();
	if (!set)
		return XDP_DROP;
	if (set->device_task && !has_room(0, &set) && bpf_loop(1 << 20, has_room, &set, 0) == 1 << 20)
		set->sent = set->taken; // some got lost on the way, or the device stands still
	set->sent++;

	nw_bench_copy(frame, &set->frame);
	static __u32 turn; // one core generates
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
