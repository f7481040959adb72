// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Counting a denied packet: its set of the row, and its line in the set. No maps, no clock.
#pragma once

#include "abi/denial.h"
#include "path/line.h"

// 1 to NW_DENIAL_SETS - 1. The seed keeps senders from aiming at one set.
NW_STEP __u32 nw_denial_set_of(const struct nw_denial_key *key, __u64 seed)
{
	const nw_word *word = (const nw_word *)key;
	__u64 hash = (seed ^ word[0] ^ word[1]) * 0x9e3779b97f4a7c15ull;
	hash = ((hash ^ hash >> 32) + word[2]) * 0xbf58476d1ce4e5b9ull;
	hash = ((hash ^ hash >> 29) + word[3]) * 0x94d049bb133111ebull;
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
