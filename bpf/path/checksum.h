// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Internet checksums, kept correct while fields change (RFC 1624 eqn. 3), never computed anew.
//
// A change is collected as the sum of ~old + new over 16-bit words, in wire order: one's-complement addition
// does not care about byte order (RFC 1071 §2).
#pragma once

#include "path/packet.h"

NW_STEP __u32 nw_changed16(__be16 old_be, __be16 new_be)
{
	return (__u32)(__u16)~old_be + new_be;
}

NW_STEP __u32 nw_changed32(__be32 old_be, __be32 new_be)
{
	return nw_changed16((__be16)old_be, (__be16)new_be) +
	       nw_changed16((__be16)(old_be >> 16), (__be16)(new_be >> 16));
}

// `change` is a sum of at most 2^15 calls above.
NW_STEP __be16 nw_checksum_after(__be16 checksum_be, __u32 change)
{
	__u32 sum = (__u32)(__u16)~checksum_be + (change & 0xffff) + (change >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__be16)~sum;
}

// RFC 768: 0 means "no checksum" and stays; a computed 0 is sent as 0xffff.
NW_STEP __be16 nw_udp_checksum_after(__be16 checksum_be, __u32 change)
{
	if (!checksum_be)
		return 0;
	__be16 after = nw_checksum_after(checksum_be, change);
	return after ? after : (__be16)0xffff;
}
