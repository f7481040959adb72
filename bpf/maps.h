// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The environment of the corridor in the kernel: every map, and the nw_env_* functions over them.
//
// Sizes given here are placeholders: the loader (userspace/dataplane/corridor.cpp) sets the real ones before
// it creates the maps. All but xsks_map are shared by the programs of all ports and pinned under their own
// name.
#pragma once

#include "abi/config.h"
#include "abi/denial.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "abi/policy.h"
#include "abi/verdict.h"
#include "path/limit.h"

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// clang-format off
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 1);
	 __type(key, __u32); __type(value, struct nw_config); } config SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 1);
	 __type(key, __u32); __type(value, struct nw_policy_active); } policy_active SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 2);
	 __type(key, __u32); __type(value, struct nw_policy_node); } policy_nodes SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 2);
	 __type(key, __u32); __type(value, struct nw_decision); } policy_decisions SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, 2);
	 __type(key, __u32); __type(value, struct nw_flow_line); } flow_table SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, NW_NEXT_HOP_LIMIT);
	 __type(key, __u32); __type(value, struct nw_next_hop); } next_hops SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_DEVMAP); __uint(max_entries, NW_PORT_LIMIT);
	 __type(key, __u32); __type(value, struct bpf_devmap_val); } tx_ports SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, NW_VERDICT_COUNT);
	 __type(key, __u32); __type(value, struct nw_verdict_count); } verdicts SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, NW_VERDICT_COUNT);
	 __type(key, __u32); __type(value, struct nw_verdict_count); } poller_verdicts SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, NW_BUCKET_COUNT);
	 __type(key, __u32); __type(value, __u64); } buckets SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, NW_DENIAL_SETS);
	 __type(key, __u32); __type(value, struct nw_denial_set); } denials SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 20); } events SEC(".maps");
// One per port: its key is the queue alone. The name is libxdp's convention.
struct { __uint(type, BPF_MAP_TYPE_XSKMAP); __uint(max_entries, 64);
	 __type(key, __u32); __type(value, __u32); } xsks_map SEC(".maps");
// clang-format on

#define NW_ENV static __always_inline
#define NW_ENV_CALL static __attribute__((noinline)) // a real call: the verifier walks it once per call site
#define NW_ENV_POLICY_MAY_MOVE 0                     // membarrier(2) waits for this run

NW_ENV void *nw_env_element(void *map, __u32 index)
{
	return bpf_map_lookup_elem(map, &index);
}

NW_ENV const struct nw_config *nw_env_config(void)
{
	return nw_env_element(&config, 0);
}

NW_ENV const struct nw_policy_active *nw_env_policy_active(void)
{
	return nw_env_element(&policy_active, 0);
}

NW_ENV const struct nw_policy_node *nw_env_policy_node(__u32 index)
{
	return nw_env_element(&policy_nodes, index);
}

NW_ENV const struct nw_decision *nw_env_decision(__u32 index)
{
	return nw_env_element(&policy_decisions, index);
}

NW_ENV struct nw_flow_line *nw_env_flow_line(__u32 index)
{
	return nw_env_element(&flow_table, index);
}

NW_ENV const struct nw_next_hop *nw_env_next_hop(__u32 index)
{
	return nw_env_element(&next_hops, index);
}

NW_ENV __u64 *nw_env_bucket(enum nw_bucket_use use)
{
	return nw_env_element(&buckets, use);
}

// Of this CPU's row; none where the map has fewer rows.
NW_ENV struct nw_denial_set *nw_env_denial_set(__u32 index)
{
	return nw_env_element(&denials, bpf_get_smp_processor_id() * NW_DENIAL_SETS + index);
}

NW_ENV __u64 nw_env_now_ns(void)
{
	return bpf_ktime_get_ns();
}

// Of the last timer interrupt: cheap, and fine enough for ticks.
NW_ENV __u64 nw_env_now_coarse_ns(void)
{
	return bpf_ktime_get_coarse_ns();
}

// A full ring loses the event; verdict counters do not depend on it.
NW_ENV void nw_env_emit(const struct nw_event *event)
{
	bpf_ringbuf_output(&events, (void *)event, sizeof(*event), 0);
}

NW_ENV void nw_env_count(enum nw_verdict verdict, __u64 bytes)
{
	struct nw_verdict_count *count = nw_env_element(&verdicts, verdict);
	if (!count)
		return;
	count->packets++;
	count->bytes += bytes;
}
