// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Step 4 of the corridor: a packet of a known flow becomes the packet that leaves.
//
// Changed: both MACs, TTL, and with SNAT one address and one port (or ICMP identifier); every checksum
// follows.
#pragma once

#include "abi/config.h"
#include "abi/flow.h"
#include "path/checksum.h"
#include "path/flow.h"
#include "path/parse.h"

// The checksum of layer 4 covers the pseudo header for TCP and UDP (RFC 9293 §3.1, RFC 768), not for ICMP.
NW_STEP void nw_rewrite_tcp(struct nw_wire_tcp *tcp, bool outbound, __be16 port_be, __u32 change)
{
	change += nw_changed16(outbound ? tcp->source_be : tcp->destination_be, port_be);
	tcp->checksum_be = nw_checksum_after(tcp->checksum_be, change);
	if (outbound)
		tcp->source_be = port_be;
	else
		tcp->destination_be = port_be;
}

NW_STEP void nw_rewrite_udp(struct nw_wire_udp *udp, bool outbound, __be16 port_be, __u32 change)
{
	change += nw_changed16(outbound ? udp->source_be : udp->destination_be, port_be);
	udp->checksum_be = nw_udp_checksum_after(udp->checksum_be, change);
	if (outbound)
		udp->source_be = port_be;
	else
		udp->destination_be = port_be;
}

NW_STEP void nw_rewrite_icmp(struct nw_wire_icmp *icmp, __be16 identifier_be)
{
	icmp->checksum_be =
		nw_checksum_after(icmp->checksum_be, nw_changed16(icmp->identifier_be, identifier_be));
	icmp->identifier_be = identifier_be;
}

// Replaces the inside address and port by the external ones (outbound), or the reverse.
NW_STEP void nw_translate(struct nw_packet *packet, const struct nw_flow_line *line,
			  const struct nw_config *config)
{
	if (line->external == NW_NOT_TRANSLATED)
		return;
	struct nw_wire_ipv4 *ip = packet->ip;
	bool outbound = !nw_is_inbound(line);
	struct nw_address external = nw_external_address(line, config);
	__be32 address_be = outbound ? external.word_be[3] : line->inside.word_be[3];
	__be16 port_be = outbound ? line->external_port_be : line->inside_port_be;

	__u32 change = nw_changed32(outbound ? ip->source_be : ip->destination_be, address_be);
	if (outbound)
		ip->source_be = address_be;
	else
		ip->destination_be = address_be;
	ip->checksum_be = nw_checksum_after(ip->checksum_be, change);

	if (packet->tcp)
		nw_rewrite_tcp(packet->tcp, outbound, port_be, change);
	else if (packet->udp)
		nw_rewrite_udp(packet->udp, outbound, port_be, change);
	else if (packet->icmp)
		nw_rewrite_icmp(packet->icmp, port_be);
}

NW_STEP void nw_copy_mac(__u8 *to, const __u8 *from)
{
	for (int i = 0; i < 6; i++)
		to[i] = from[i];
}

// The caller has checked that ttl > 1 and that ip_bytes fits the hop's MTU. `line` and `hop` are stable
// copies.
NW_STEP void nw_rewrite(struct nw_packet *packet, const struct nw_flow_line *line,
			const struct nw_config *config, const struct nw_next_hop *hop)
{
	struct nw_wire_ipv4 *ip = packet->ip;
	nw_translate(packet, line, config);
	ip->ttl--;
	ip->checksum_be = nw_checksum_after(ip->checksum_be, nw_changed16(NW_BE16(0x0100), 0));
	nw_copy_mac(packet->ethernet->destination, hop->destination_mac);
	nw_copy_mac(packet->ethernet->source, hop->source_mac);
}
