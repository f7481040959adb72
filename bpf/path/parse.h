// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Step 1 of the corridor: bytes in, a tuple and the places to rewrite out. No maps, no helpers, no clock.
//
// A frame that no policy is asked about ends here with its verdict:
//  1. truncated or self-contradicting at any header           dropped_malformed
//  2. ARP, IPv6 neighbour discovery, DHCP towards a client    passed_to_kernel
//  3. VLAN tag / other IPv6 / other ethertype                 dropped_vlan / _ipv6 / _not_ip
//  4. not addressed to this port's MAC                        dropped_not_for_us
//  5. any fragment, the first included                        dropped_fragment
//  6. neither TCP nor UDP nor ICMP                            dropped_protocol
//  7. a source or destination that no router forwards         dropped_martian
#pragma once

#include "abi/flow.h"
#include "abi/verdict.h"
#include "path/packet.h"

// "No step has ended this packet yet": the value of a verdict in the making.
#define NW_UNDECIDED NW_VERDICT_COUNT

struct nw_packet {
	struct nw_tuple tuple;
	struct nw_wire_ethernet *ethernet;
	struct nw_wire_ipv4 *ip;
	// Layer 4: exactly one is set, and lies wholly inside the frame. Typed pointers rather than one and
	// the protocol number, because the verifier follows pointers through the stack, not numbers.
	struct nw_wire_tcp *tcp;
	struct nw_wire_udp *udp;
	struct nw_wire_icmp *icmp;
	__u32 frame_bytes;
	__u16 ip_bytes; // total length of the datagram, header included
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 icmp_code;
};

NW_STEP struct nw_address nw_mapped_ipv4(__be32 address_be)
{
	struct nw_address address = {{0, 0, NW_BE32(0xffff), address_be}};
	return address;
}

// RFC 1812 §5.3.7 and RFC 1122 §3.2.1.3: this-network, loopback, multicast, reserved, broadcast.
NW_STEP bool nw_is_martian(__be32 address_be)
{
	__u8 first = NW_HOST32(address_be) >> 24;
	return first == 0 || first == 127 || first >= 224;
}

NW_STEP bool nw_is_mac(const __u8 *wire, const __u8 *mac)
{
	return wire[0] == mac[0] && wire[1] == mac[1] && wire[2] == mac[2] && wire[3] == mac[3] &&
	       wire[4] == mac[4] && wire[5] == mac[5];
}

// RFC 4861: types 133 to 137, always straight behind the IPv6 header.
NW_STEP enum nw_verdict nw_parse_ipv6(struct nw_cursor *cursor)
{
	const struct nw_wire_ipv6 *ip = nw_take_as(nw_wire_ipv6, cursor);
	if (!ip || NW_HOST32(ip->version_class_label_be) >> 28 != 6)
		return NW_VERDICT_dropped_malformed;
	if (ip->next_header != NW_PROTOCOL_ICMPV6)
		return NW_VERDICT_dropped_ipv6;
	const __u8 *type = (const __u8 *)nw_take(cursor, 1);
	if (!type)
		return NW_VERDICT_dropped_malformed;
	return *type >= 133 && *type <= 137 ? NW_VERDICT_passed_to_kernel : NW_VERDICT_dropped_ipv6;
}

// RFC 9293 §3.1. `bytes` is what the datagram has left for TCP.
NW_STEP bool nw_parse_tcp(struct nw_cursor *cursor, __u32 bytes, struct nw_packet *packet)
{
	struct nw_wire_tcp *tcp = nw_take_as(nw_wire_tcp, cursor);
	if (!tcp)
		return false;
	__u32 header_bytes = (tcp->words_and_reserved >> 4) * 4u;
	if (header_bytes < NW_TCP_MIN_BYTES || header_bytes > bytes)
		return false;
	packet->tcp = tcp;
	packet->tcp_flags = tcp->flags;
	packet->tuple.source_port_be = tcp->source_be;
	packet->tuple.destination_port_be = tcp->destination_be;
	return true;
}

// RFC 768: the length covers the header and lies within the datagram.
NW_STEP bool nw_parse_udp(struct nw_cursor *cursor, __u32 bytes, struct nw_packet *packet)
{
	struct nw_wire_udp *udp = nw_take_as(nw_wire_udp, cursor);
	if (!udp)
		return false;
	__u32 udp_bytes = NW_HOST16(udp->bytes_be);
	if (udp_bytes < NW_UDP_BYTES || udp_bytes > bytes)
		return false;
	packet->udp = udp;
	packet->tuple.source_port_be = udp->source_be;
	packet->tuple.destination_port_be = udp->destination_be;
	return true;
}

// RFC 792. An echo reply carries the identifier as destination, everything else as source "port".
NW_STEP bool nw_parse_icmp(struct nw_cursor *cursor, __u32 bytes, struct nw_packet *packet)
{
	struct nw_wire_icmp *icmp = nw_take_as(nw_wire_icmp, cursor);
	if (!icmp || bytes < NW_ICMP_BYTES)
		return false;
	packet->icmp = icmp;
	packet->icmp_type = icmp->type;
	packet->icmp_code = icmp->code;
	if (icmp->type == NW_ICMP_ECHO_REPLY)
		packet->tuple.destination_port_be = icmp->identifier_be;
	else
		packet->tuple.source_port_be = icmp->identifier_be;
	return true;
}

// RFC 791 §3.1: a header of 5 to 15 words, inside a datagram that the frame holds completely.
NW_STEP enum nw_verdict nw_parse_ipv4(struct nw_cursor *cursor, struct nw_packet *packet)
{
	__u32 left = (__u32)(cursor->end - cursor->position);
	struct nw_wire_ipv4 *ip = nw_take_as(nw_wire_ipv4, cursor);
	if (!ip || ip->version_and_words >> 4 != 4)
		return NW_VERDICT_dropped_malformed;
	__u32 header_bytes = (ip->version_and_words & 15) * 4u;
	__u32 total_bytes = NW_HOST16(ip->total_bytes_be);
	if (header_bytes < NW_IPV4_MIN_BYTES || total_bytes < header_bytes || total_bytes > left ||
	    !nw_take(cursor, header_bytes - NW_IPV4_MIN_BYTES))
		return NW_VERDICT_dropped_malformed;
	if (ip->fragment_be & NW_BE16(0x3fff)) // more fragments, or an offset
		return NW_VERDICT_dropped_fragment;

	packet->ip = ip;
	packet->ip_bytes = total_bytes;
	packet->tuple.source = nw_mapped_ipv4(ip->source_be);
	packet->tuple.destination = nw_mapped_ipv4(ip->destination_be);
	packet->tuple.protocol = ip->protocol;
	__u32 bytes = total_bytes - header_bytes;
	bool sound;
	if (ip->protocol == NW_PROTOCOL_TCP)
		sound = nw_parse_tcp(cursor, bytes, packet);
	else if (ip->protocol == NW_PROTOCOL_UDP)
		sound = nw_parse_udp(cursor, bytes, packet);
	else if (ip->protocol == NW_PROTOCOL_ICMP)
		sound = nw_parse_icmp(cursor, bytes, packet);
	else
		return NW_VERDICT_dropped_protocol;
	return sound ? NW_UNDECIDED : NW_VERDICT_dropped_malformed;
}

// A DHCP server's answer may come before we have the address that it is for, so the address is not looked at.
NW_STEP bool nw_is_dhcp_answer(const struct nw_packet *packet)
{
	return packet->tuple.protocol == NW_PROTOCOL_UDP &&
	       packet->tuple.source_port_be == NW_BE16(NW_PORT_DHCP_SERVER) &&
	       packet->tuple.destination_port_be == NW_BE16(NW_PORT_DHCP_CLIENT);
}

// `mac` is the receiving port's own address, `zone` the port's. NW_UNDECIDED: `packet` is filled.
NW_STEP enum nw_verdict nw_parse(struct nw_cursor cursor, const __u8 *mac, __u16 zone,
				 struct nw_packet *packet)
{
	struct nw_packet empty = {};
	*packet = empty;
	packet->tuple.zone = zone;
	packet->frame_bytes = (__u32)(cursor.end - cursor.position);
	struct nw_wire_ethernet *ethernet = nw_take_as(nw_wire_ethernet, &cursor);
	if (!ethernet)
		return NW_VERDICT_dropped_malformed;
	packet->ethernet = ethernet;
	switch (ethernet->ethertype_be) {
	case NW_BE16(NW_ETHERTYPE_IPV4):
		break;
	case NW_BE16(NW_ETHERTYPE_ARP):
		return NW_VERDICT_passed_to_kernel;
	case NW_BE16(NW_ETHERTYPE_IPV6):
		return nw_parse_ipv6(&cursor);
	case NW_BE16(NW_ETHERTYPE_VLAN):
	case NW_BE16(NW_ETHERTYPE_QINQ):
		return NW_VERDICT_dropped_vlan;
	default:
		return NW_VERDICT_dropped_not_ip;
	}
	enum nw_verdict verdict = nw_parse_ipv4(&cursor, packet);
	if (verdict == NW_UNDECIDED && nw_is_dhcp_answer(packet))
		return NW_VERDICT_passed_to_kernel;
	if (verdict != NW_VERDICT_dropped_malformed && !nw_is_mac(ethernet->destination, mac))
		return NW_VERDICT_dropped_not_for_us;
	if (verdict == NW_UNDECIDED &&
	    (nw_is_martian(packet->ip->source_be) || nw_is_martian(packet->ip->destination_be)))
		return NW_VERDICT_dropped_martian;
	return verdict;
}
