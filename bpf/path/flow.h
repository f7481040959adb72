// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Step 2 of the corridor: which line of the flow table a packet belongs to.
//
// Callers own the probe loop, because they own the memory: slots (hash + i) & mask for i <
// NW_FLOW_PROBE_LINES, until a line matches or one was never used.
#pragma once

#include "abi/config.h"
#include "abi/flow.h"
#include "path/line.h"

// 64-bit words of a line that identify and describe the flow; the rest (traffic) only XDP needs.
enum { NW_LINE_WORDS = 7 };

NW_STEP bool nw_same_address(const struct nw_address *a, const struct nw_address *b)
{
	const nw_word *left = (const nw_word *)a->word_be;
	const nw_word *right = (const nw_word *)b->word_be;
	return left[0] == right[0] && left[1] == right[1];
}

// Spreads a tuple over the table. Keyed, so that nobody outside can aim many flows at one probe sequence.
NW_STEP __u32 nw_flow_hash(const struct nw_tuple *tuple, __u64 seed)
{
	const nw_word *word = (const nw_word *)tuple;
	__u64 hash = seed;
	for (int i = 0; i < 5; i++) {
		hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15ull; // 2^64 / golden ratio
		hash ^= hash >> 32;
	}
	hash *= 0xd6e8feb86659fd93ull;
	return (__u32)(hash ^ hash >> 32);
}

NW_STEP bool nw_is_inbound(const struct nw_flow_line *line)
{
	return line->kind & NW_LINE_INBOUND;
}

// The address that stands outside for the flow's inside address. `line` is a stable copy.
NW_STEP struct nw_address nw_external_address(const struct nw_flow_line *line, const struct nw_config *config)
{
	return line->external == NW_NOT_TRANSLATED
		       ? line->inside
		       : config->external[line->external & (NW_EXTERNAL_LIMIT - 1)];
}
static_assert((NW_EXTERNAL_LIMIT & (NW_EXTERNAL_LIMIT - 1)) == 0, "the mask above");

// Whether a stable copy of a line serves this packet in this direction.
NW_STEP bool nw_line_matches(const struct nw_flow_line *line, const struct nw_tuple *tuple,
			     const struct nw_config *config)
{
	if (line->protocol != tuple->protocol || line->zone != tuple->zone)
		return false;
	if (!nw_is_inbound(line))
		return line->inside_port_be == tuple->source_port_be &&
		       line->remote_port_be == tuple->destination_port_be &&
		       nw_same_address(&line->inside, &tuple->source) &&
		       nw_same_address(&line->remote, &tuple->destination);
	struct nw_address external = nw_external_address(line, config);
	return line->remote_port_be == tuple->source_port_be &&
	       line->external_port_be == tuple->destination_port_be &&
	       nw_same_address(&line->remote, &tuple->source) &&
	       nw_same_address(&external, &tuple->destination);
}

// What policy judges a flow by, in whichever direction its packet travels: inside → remote.
NW_STEP struct nw_tuple nw_outbound_tuple(const struct nw_flow_line *line)
{
	struct nw_tuple tuple = {
		.source = line->inside,
		.destination = line->remote,
		.source_port_be = line->inside_port_be,
		.destination_port_be = line->remote_port_be,
		.zone = line->zone,
		.protocol = line->protocol,
		.zero = 0,
	};
	return tuple;
}

// The tuple of a reply to the flow, as it arrives from outside.
NW_STEP struct nw_tuple nw_inbound_tuple(const struct nw_flow_line *line, const struct nw_config *config)
{
	struct nw_tuple tuple = {
		.source = line->remote,
		.destination = nw_external_address(line, config),
		.source_port_be = line->remote_port_be,
		.destination_port_be = line->external_port_be,
		.zone = line->zone,
		.protocol = line->protocol,
		.zero = 0,
	};
	return tuple;
}
