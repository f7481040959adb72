// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Packet bytes and how to walk them safely, for XDP, the poller and tests alike.
//
// Wire structs are read in place. On the host they are packed: a packet buffer has no alignment, and a plain
// `struct iphdr` on it is undefined behaviour. BPF keeps natural alignment (the kernel's verifier knows that
// the machine reads unaligned words) so that a field is one load; the layout is the same.
// Fields that end in _be are big-endian and stay so.
#pragma once

#include <linux/types.h>

#define NW_STEP static inline __attribute__((always_inline))

#ifdef __bpf__
#define NW_WIRE
#else
#define NW_WIRE __attribute__((packed))
#endif

// A big-endian constant: NW_BE16(0x0800) is the ethertype of IPv4 as it stands on the wire.
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NW_BE16(host) ((__be16)__builtin_bswap16(host))
#define NW_BE32(host) ((__be32)__builtin_bswap32(host))
#else
#define NW_BE16(host) ((__be16)(host))
#define NW_BE32(host) ((__be32)(host))
#endif
// Their own inverse; the name says which way the reader should think.
#define NW_HOST16(be) ((__u16)NW_BE16(be))
#define NW_HOST32(be) ((__u32)NW_BE32(be))

enum {
	NW_ETHERTYPE_IPV4 = 0x0800,
	NW_ETHERTYPE_ARP = 0x0806,
	NW_ETHERTYPE_VLAN = 0x8100, // IEEE 802.1Q
	NW_ETHERTYPE_QINQ = 0x88a8, // IEEE 802.1ad
	NW_ETHERTYPE_IPV6 = 0x86dd,
	NW_ETHERNET_BYTES = 14,
	NW_IPV4_MIN_BYTES = 20,
	NW_IPV6_BYTES = 40,
	NW_TCP_MIN_BYTES = 20,
	NW_UDP_BYTES = 8,
	NW_ICMP_BYTES = 8, // up to and including the identifier and sequence number
	NW_PROTOCOL_ICMP = 1,
	NW_PROTOCOL_TCP = 6,
	NW_PROTOCOL_UDP = 17,
	NW_PROTOCOL_ICMPV6 = 58,
	NW_ICMP_ECHO_REPLY = 0,
	NW_ICMP_ECHO_REQUEST = 8,
	NW_PORT_DNS = 53,
	NW_PORT_DHCP_SERVER = 67,
	NW_PORT_DHCP_CLIENT = 68,
};

struct nw_wire_ethernet {
	__u8 destination[6];
	__u8 source[6];
	__be16 ethertype_be;
} NW_WIRE;
static_assert(sizeof(struct nw_wire_ethernet) == NW_ETHERNET_BYTES, "IEEE 802.3");

struct nw_wire_ipv4 {
	__u8 version_and_words; // high nibble 4, low nibble header length in 32-bit words
	__u8 traffic_class;
	__be16 total_bytes_be;
	__be16 identification_be;
	__be16 fragment_be; // 3 flag bits, 13 bits of offset in units of 8 bytes
	__u8 ttl;
	__u8 protocol;
	__be16 checksum_be;
	__be32 source_be;
	__be32 destination_be;
} NW_WIRE;
static_assert(sizeof(struct nw_wire_ipv4) == NW_IPV4_MIN_BYTES, "RFC 791 §3.1");

struct nw_wire_ipv6 {
	__be32 version_class_label_be;
	__be16 payload_bytes_be;
	__u8 next_header;
	__u8 hop_limit;
	__u8 source[16];
	__u8 destination[16];
} NW_WIRE;
static_assert(sizeof(struct nw_wire_ipv6) == NW_IPV6_BYTES, "RFC 8200 §3");

struct nw_wire_tcp {
	__be16 source_be;
	__be16 destination_be;
	__be32 sequence_be;
	__be32 acknowledgement_be;
	__u8 words_and_reserved; // high nibble: header length in 32-bit words
	__u8 flags;
	__be16 window_be;
	__be16 checksum_be;
	__be16 urgent_be;
} NW_WIRE;
static_assert(sizeof(struct nw_wire_tcp) == NW_TCP_MIN_BYTES, "RFC 9293 §3.1");

struct nw_wire_udp {
	__be16 source_be;
	__be16 destination_be;
	__be16 bytes_be;
	__be16 checksum_be; // 0: the sender computed none (RFC 768)
} NW_WIRE;
static_assert(sizeof(struct nw_wire_udp) == NW_UDP_BYTES, "RFC 768");

struct nw_wire_icmp {
	__u8 type;
	__u8 code;
	__be16 checksum_be;
	__be16 identifier_be;
	__be16 sequence_be;
} NW_WIRE;
static_assert(sizeof(struct nw_wire_icmp) == NW_ICMP_BYTES, "RFC 792");

// The part of the frame that is not read yet. Invariant: position <= end.
struct nw_cursor {
	__u8 *position;
	__u8 *end;
};

// Takes `bytes` off the front; nullptr when fewer are left (the cursor then stays where it was).
// In BPF the comparison has the shape that the verifier recognises as a bounds check; on the host a pointer
// past the end of the frame must not even be computed.
NW_STEP void *nw_take(struct nw_cursor *cursor, __u32 bytes)
{
	__u8 *start = cursor->position;
#ifdef __bpf__
	if (start + bytes > cursor->end)
		return nullptr;
#else
	if (bytes > (__u64)(cursor->end - start))
		return nullptr;
#endif
	cursor->position = start + bytes;
	return start;
}

// The next header of this type, or nullptr when the frame ends before it does.
#define nw_take_as(type, cursor) ((struct type *)nw_take((cursor), sizeof(struct type)))
