// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// What can happen to a packet: every packet ends in exactly one of these.
//
// One list, many uses: the enum here, the counter index in XDP and in the poller, the Prometheus label, the
// name in an event, the word that `neuwerkctl explain` prints and the table in docs/reference/verdicts.md.
// Append only: the numbers are part of the pinned ABI (NW_ABI_VERSION).
// Fates: forward (left on a port), slow (the poller decides), kernel (this host's own stack), drop.
#pragma once

#include <linux/types.h>

// clang-format off
//        name                     fate      why
#define NW_VERDICTS(X)                                                                                          \
	X(forwarded_in_xdp,        forward,  "established flow, rewritten and sent in the driver")              \
	X(forwarded_by_poller,     forward,  "first packet of a flow, translated and sent by the poller")       \
	X(handed_to_poller,        slow,     "allowed, but no flow line yet: first packet of a flow")           \
	X(passed_to_kernel,        kernel,   "ARP, ND, DHCP or a configured host service of this host")         \
	X(denied_by_rule,          drop,     "a deny rule matched first")                                       \
	X(denied_by_group,         drop,     "no rule of the group matched and its default_action is deny")     \
	X(denied_by_default,       drop,     "no group decided and default_policy is deny")                     \
	X(dropped_external_source, drop,     "arrived inside, but its source is in no group and not internal")  \
	X(dropped_east_west,       drop,     "from internal to internal: not egress traffic")                   \
	X(dropped_no_flow,         drop,     "only a known flow may do this: inbound, or TCP without SYN")      \
	X(dropped_wrong_side,      drop,     "inside and outside disagree: a flow's packet came in on the wrong port") \
	X(dropped_flow_denied,     drop,     "its flow was denied by a newer policy and is being removed")      \
	X(dropped_not_for_us,      drop,     "the frame is addressed to another MAC, or to a group")            \
	X(dropped_own_address,     drop,     "for an address of this host, and not a configured host service")  \
	X(dropped_martian,         drop,     "an address that no router forwards (RFC 1812 5.3.7), or multicast") \
	X(dropped_malformed,       drop,     "a header is truncated or contradicts itself")                     \
	X(dropped_not_ip,          drop,     "an ethertype other than IPv4, IPv6, ARP and VLAN")                \
	X(dropped_ipv6,            drop,     "IPv6 is not enforced yet, so it is not forwarded")                \
	X(dropped_vlan,            drop,     "VLAN-tagged frames are not enforced yet")                         \
	X(dropped_fragment,        drop,     "an IPv4 fragment: its ports cannot be judged")                    \
	X(dropped_protocol,        drop,     "not TCP, UDP or ICMP")                                            \
	X(dropped_icmp_type,       drop,     "ICMP other than echo and echo reply")                             \
	X(dropped_ttl,             drop,     "its time to live ends here")                                      \
	X(dropped_too_big,         drop,     "larger than the MTU of the port it would leave on")               \
	X(dropped_no_policy,       drop,     "no policy generation is published: fail closed")                  \
	X(dropped_no_snat_address, drop,     "SNAT is on and no address to translate to is known")              \
	X(dropped_no_port,         drop,     "every SNAT port towards this remote is in use")                   \
	X(dropped_no_next_hop,     drop,     "no route, or the neighbour does not answer")                      \
	X(dropped_table_full,      drop,     "no free flow line near its hash")                                 \
	X(dropped_poller_busy,     drop,     "the rate limit for first packets was reached")                    \
	X(dropped_no_poller,       drop,     "no poller serves this queue: new flows fail closed")
// clang-format on

enum nw_verdict {
#define NW_VERDICT_ENUM(name, fate, why) NW_VERDICT_##name,
	NW_VERDICTS(NW_VERDICT_ENUM) NW_VERDICT_COUNT
#undef NW_VERDICT_ENUM
};

// One element of the maps `verdicts` (per CPU, written by XDP) and `poller_verdicts` (written by the poller).
struct nw_verdict_count {
	__u64 packets;
	__u64 bytes; // whole frames, layer 2 included
};
