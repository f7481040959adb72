// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// What happened, as a record: from XDP through the ring buffer `events` to the poller, and on to subscribers.
#pragma once

#include "flow.h"

#include <linux/types.h>

// clang-format off
//        name          why
#define NW_EVENTS(X)                                                                                      \
	X(denied,       "a packet was denied by policy (sampled: nw_config.events_per_second)")          \
	X(audited,      "a packet was allowed although a rule in audit mode, or an audited default, denies it") \
	X(flow_denied,  "an established flow is denied by a newer policy; the poller removes it")         \
	X(flow_started, "the poller published both lines of a flow")                                      \
	X(flow_ended,   "the poller removed a flow; see reason")                                          \
	X(no_port,      "every SNAT port towards this remote is in use")
// clang-format on

enum nw_event_kind {
#define NW_EVENT_ENUM(name, why) NW_EVENT_##name,
	NW_EVENTS(NW_EVENT_ENUM) NW_EVENT_COUNT
#undef NW_EVENT_ENUM
};

// clang-format off
#define NW_END_REASONS(X) \
	X(none) X(idle_timeout) X(tcp_fin) X(tcp_rst) X(policy_deny) X(shutdown) X(address_changed)
// clang-format on

enum nw_end_reason {
#define NW_END_ENUM(name) NW_END_##name,
	NW_END_REASONS(NW_END_ENUM) NW_END_COUNT
#undef NW_END_ENUM
};

struct nw_event {
	__u64 time_ns;            // CLOCK_MONOTONIC
	struct nw_address source; // as the packet arrived; for flow events the inside address
	struct nw_address destination;
	__be16 source_port_be;
	__be16 destination_port_be; // of a denied or audited ICMP packet: type << 8 | code
	__u32 generation;
	__u32 rule;  // NW_NO_RULE: a default decided
	__u16 group; // NW_NO_GROUP: default_policy
	__u8 kind;   // enum nw_event_kind
	__u8 verdict;
	__u8 protocol;
	__u8 reason;             // enum nw_end_reason, for flow_ended
	__be16 external_port_be; // flow events: the translated port (equal to the source port without SNAT)
	__u32 line;              // flow events: index of the outbound line
};
static_assert(sizeof(struct nw_event) == 64, "one cache line");
