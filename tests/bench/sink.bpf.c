// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Where benchmark frames end: a counting sink at the server, and the cheapest possible drop as the yardstick.
#include "path/packet.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} arrived SEC(".maps");

// UDP is counted and dropped; the rest (ARP) is the server's.
SEC("xdp")
int sink(struct xdp_md *context)
{
	const struct nw_wire_ethernet *ethernet = (void *)(long)context->data;
	const struct nw_wire_ipv4 *ip = (const void *)(ethernet + 1);
	if ((void *)(ip + 1) > (void *)(long)context->data_end)
		return XDP_PASS;
	if (ethernet->ethertype_be != NW_BE16(NW_ETHERTYPE_IPV4) || ip->protocol != NW_PROTOCOL_UDP)
		return XDP_PASS;
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&arrived, &zero);
	if (count)
		(*count)++;
	return XDP_DROP;
}

SEC("xdp")
int drop_all(struct xdp_md *context)
{
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
