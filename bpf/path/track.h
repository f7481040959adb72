// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Step 2b of the corridor: what the packets seen so far say about a flow, and how long it may stay idle.
//
// XDP records flags per direction; nobody keeps a second copy of the state. From both directions:
//  1. an RST in either direction, nothing after it      closing
//  2. no packet, or nothing but a SYN, going out        syn_sent (no answer yet) or syn_received
//  3. no answer                                         syn_sent
//  4. FIN in both directions                            closing
//  5. FIN in one                                        half_closed: the other side may still send (RFC 9293
//  §3.6)
//  6. otherwise                                         established
// Sequence numbers are not checked; a flag clears itself when traffic contradicts it (see nw_seen_after).
#pragma once

#include "abi/config.h"
#include "abi/flow.h"
#include "path/packet.h"

// clang-format off
#define NW_FLOW_STATES(X) X(new_flow) X(assured) X(syn_sent) X(syn_received) X(established) X(half_closed) X(closing)
// clang-format on
enum nw_flow_state {
#define NW_STATE_ENUM(name) NW_STATE_##name,
	NW_FLOW_STATES(NW_STATE_ENUM) NW_STATE_COUNT
#undef NW_STATE_ENUM
};

// `seen` of a line after a packet with these TCP flags (0 for other protocols) passed in its direction.
// A SYN begins the direction anew: clients reuse their ports. Anything but an RST after an RST shows that the
// RST was not believed (RFC 5961), so it is forgotten.
NW_STEP __u8 nw_seen_after(__u8 seen, __u8 tcp_flags)
{
	__u8 kept = seen;
	if (tcp_flags & NW_SEEN_SYN)
		kept = seen & NW_SEEN_DENIED;
	if (!(tcp_flags & NW_SEEN_RST))
		kept &= ~NW_SEEN_RST;
	return kept | NW_SEEN_PACKET | (tcp_flags & (NW_SEEN_FIN | NW_SEEN_SYN | NW_SEEN_RST | NW_SEEN_ACK));
}

// `out` and `in` are the `seen` of the outbound and the inbound line.
NW_STEP enum nw_flow_state nw_flow_state_of(__u8 protocol, __u8 out, __u8 in)
{
	if (protocol != NW_PROTOCOL_TCP)
		return in & NW_SEEN_PACKET ? NW_STATE_assured : NW_STATE_new_flow;
	if ((out | in) & NW_SEEN_RST)
		return NW_STATE_closing;
	if (!(in & NW_SEEN_PACKET))
		return NW_STATE_syn_sent;
	if (!(out & NW_SEEN_ACK))
		return in & NW_SEEN_SYN ? NW_STATE_syn_received : NW_STATE_syn_sent;
	if (out & in & NW_SEEN_FIN)
		return NW_STATE_closing;
	return (out | in) & NW_SEEN_FIN ? NW_STATE_half_closed : NW_STATE_established;
}

// Seconds that a flow may stay idle before it ends; it ends when it was idle for longer.
NW_STEP __u32 nw_idle_limit_s(const struct nw_timeouts *timeouts, __u8 protocol, __be16 remote_port_be,
			      enum nw_flow_state state)
{
	switch (state) {
	case NW_STATE_syn_sent:
		return timeouts->tcp_half_open_s;
	case NW_STATE_syn_received:
		return timeouts->tcp_transitory_s;
	case NW_STATE_established:
	case NW_STATE_half_closed:
		return timeouts->tcp_established_s;
	case NW_STATE_closing:
		return timeouts->tcp_closing_s;
	default:
		if (protocol == NW_PROTOCOL_ICMP)
			return timeouts->icmp_s;
		return remote_port_be == NW_BE16(NW_PORT_DNS) ? timeouts->udp_dns_s : timeouts->udp_s;
	}
}

// The tick of a moment, as it stands in last_seen_ticks.
NW_STEP __u16 nw_tick_of(__u64 now_ns)
{
	return (__u16)(now_ns >> NW_TICK_SHIFT);
}
