// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Counting a denied packet: its set of the row, and its line in the set. No maps, no clock.
#pragma once

#include "abi/denial.h"
#include "path/line.h"

// 1 to NW_DENIAL_SETS - 1. The seed keeps senders from aiming at one set. A flood pays for this with every
// packet: the products do not wait for each other, and small fields are loaded in the size that they were
// just stored in, because a wider load would wait for the stores.
NW_STEP __u32 nw_denial_set_of(const struct nw_denial_key *key, __u64 seed)
{
	const nw_word *address = (const nw_word *)&key->destination;
	__u64 service = (__u64)key->rule << 32 | (__u64)key->group << 16 | key->service_port_be;
	__u64 rest = (__u64)key->generation << 32 | (__u64)key->kind << 16 | (__u64)key->verdict << 8 |
		     key->protocol;
	__u64 hash = (seed ^ address[0] ^ address[1]) * 0x9e3779b97f4a7c15ull +
		     (seed ^ service) * 0xbf58476d1ce4e5b9ull + (seed ^ rest) * 0x94d049bb133111ebull;
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93ull;
	return 1 + (__u32)((hash >> 32) * (NW_DENIAL_SETS - 1) >> 32);
}

NW_STEP bool nw_is_denial_of(const struct nw_denial *line, const struct nw_denial_key *key)
{
	const nw_word *a = (const nw_word *)&line->key, *b = (const nw_word *)key;
	return line->sequence && a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

// The line's key changes under its sequence, which a poller that died meanwhile may have left odd.
NW_STEP void nw_take_denial_line(struct nw_denial *line, const struct nw_denial_key *key)
{
	nw_word *to = (nw_word *)&line->key;
	const nw_word *from = (const nw_word *)key;
	__u32 odd = line->sequence | 1;
	nw_store(&line->sequence, odd);
	for (unsigned int i = 0; i < sizeof(*key) / sizeof(*to); i++)
		nw_publish(&to[i], from[i]);
	__u32 even = odd + 1;
	nw_publish(&line->sequence, even ? even : 2);
}

NW_STEP void nw_count_on(struct nw_denial *line, const struct nw_address *source, __u32 now_ticks)
{
	nw_store(&line->count, line->count + 1);
	if (line->last_ticks != now_ticks)
		nw_store(&line->last_ticks, now_ticks);
	for (int i = 0; i < 4; i++)
		if (line->source.word_be[i] != source->word_be[i])
			nw_store(&line->source.word_be[i], source->word_be[i]);
}

// One packet. False: every line of the set is another key's that still counts.
NW_STEP bool nw_count_denial(struct nw_denial_set *set, const struct nw_denial_key *key,
			     const struct nw_address *source, __u32 now_ticks)
{
	for (int i = 0; i < NW_DENIAL_WAYS; i++) {
		struct nw_denial *line = &set->way[i];
		if (nw_is_denial_of(line, key)) {
			nw_count_on(line, source, now_ticks);
			return true;
		}
	}
	for (int i = 0; i < NW_DENIAL_WAYS; i++) {
		struct nw_denial *line = &set->way[i];
		bool is_free = line->sequence == 0 || (nw_load(&line->counted) == line->count &&
						       now_ticks - line->last_ticks >= NW_DENIAL_REST_TICKS);
		if (is_free) {
			nw_take_denial_line(line, key);
			nw_count_on(line, source, now_ticks);
			return true;
		}
	}
	return false;
}
