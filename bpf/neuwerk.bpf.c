// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The XDP program: walks the corridor, counts the verdict, and does with the frame what the verdict says.
//
// Three names are a convention of libxdp 1.3, by which DPDK's net_af_xdp adopts this program instead of
// loading its own: the function xsk_def_prog, the BTF variable xsk_prog_version and the map xsks_map
// (shared/design findings: option b').
#include "maps.h"
#include "abi/version.h"
#include "corridor.h"

const volatile __u32 nw_abi_version = NW_ABI_VERSION;
const volatile __u32 nw_port_index; // which nw_config.port this instance serves
const volatile bool nw_is_dry_run;  // explain and tests: no flow, no counter, no event; report in metadata

// Puts the record into the 16 bytes in front of the frame. Fails where the driver has no headroom.
static __always_inline bool nw_attach_record(struct xdp_md *ctx, const struct nw_handoff *record)
{
	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*record)))
		return false;
	struct nw_handoff *place = (void *)(long)ctx->data_meta;
	if ((void *)(place + 1) > (void *)(long)ctx->data)
		return false;
	*place = *record;
	return true;
}

static __always_inline int nw_send(__u32 egress_port, enum nw_verdict *verdict)
{
	if (egress_port == nw_port_index)
		return XDP_TX;
	int action = bpf_redirect_map(&tx_ports, egress_port, XDP_DROP);
	if (action != XDP_REDIRECT)
		*verdict = NW_VERDICT_dropped_no_next_hop;
	return action;
}

static __always_inline int nw_hand_over(struct xdp_md *ctx, const struct nw_passage *passage,
					enum nw_verdict *verdict)
{
	struct nw_handoff handoff = {
		.magic = NW_HANDOFF_MAGIC,
		.generation = passage->generation,
		.decision = passage->decision,
		.flow_hash = passage->flow_hash,
	};
	nw_attach_record(ctx, &handoff); // without it the poller decides again
	int action = bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_DROP);
	if (action != XDP_REDIRECT)
		*verdict = NW_VERDICT_dropped_no_poller;
	return action;
}

static __always_inline int nw_report_dry_run(struct xdp_md *ctx, const struct nw_passage *passage,
					     enum nw_verdict verdict)
{
	struct nw_handoff report = {
		.magic = NW_HANDOFF_REPORT,
		.generation = passage->generation,
		.decision = passage->decision,
		.flow_hash = verdict,
	};
	return nw_attach_record(ctx, &report) ? XDP_PASS : XDP_ABORTED;
}

SEC("xdp")
int xsk_def_prog(struct xdp_md *ctx)
{
	struct nw_cursor frame = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	__u64 frame_bytes = frame.end - frame.position;
	struct nw_passage passage;
	enum nw_verdict verdict = nw_corridor(frame, nw_port_index, nw_is_dry_run, &passage);
	if (nw_is_dry_run)
		return nw_report_dry_run(ctx, &passage, verdict);

	int action = XDP_DROP;
	if (verdict == NW_VERDICT_forwarded_in_xdp)
		action = nw_send(passage.egress_port, &verdict);
	else if (verdict == NW_VERDICT_handed_to_poller)
		action = nw_hand_over(ctx, &passage, &verdict);
	else if (verdict == NW_VERDICT_passed_to_kernel)
		action = XDP_PASS;
	nw_env_count(verdict, frame_bytes);
	return action;
}

char _license[] SEC("license") = "Dual BSD/GPL";
__uint(xsk_prog_version, 1) SEC("xdp_metadata");
