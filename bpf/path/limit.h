// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// A token bucket as one word: the virtual time at which the next token is due (GCRA, ITU-T I.371 annex A).
#pragma once

#include "path/packet.h"

enum nw_bucket_use { NW_BUCKET_MISSES, NW_BUCKET_EVENTS, NW_BUCKET_COUNT };

// `*due_ns` starts at 0. A token costs interval_ns; an idle bucket saves up burst_ns worth of them.
NW_STEP bool nw_take_token(__u64 *due_ns, __u64 now_ns, __u32 interval_ns, __u32 burst_ns)
{
	__u64 oldest = now_ns > burst_ns ? now_ns - burst_ns : 0;
	__u64 due = *due_ns < oldest ? oldest : *due_ns;
	if (due > now_ns)
		return false;
	*due_ns = due + interval_ns;
	return true;
}
