// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Restores the frame and jumps to the program under test: a test run repeats on whatever the last one left.
#include "frame.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nw_bench_settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} under_test SEC(".maps");

SEC("xdp")
int replay(struct xdp_md *context)
{
	// Metadata that the last run pushed in front of the frame would otherwise pile up.
	if (context->data_meta < context->data)
		bpf_xdp_adjust_meta(context, (int)(context->data - context->data_meta));
	struct nw_bench_frame *frame = (void *)(long)context->data;
	if ((void *)(frame + 1) > (void *)(long)context->data_end)
		return XDP_ABORTED;
	__u32 zero = 0;
	const struct nw_bench_settings *set = bpf_map_lookup_elem(&settings, &zero);
	if (!set)
		return XDP_ABORTED;
	nw_bench_copy(frame, &set->frame);
	bpf_tail_call(context, &under_test, 0);
	return XDP_ABORTED;
}

char _license[] SEC("license") = "Dual BSD/GPL";
