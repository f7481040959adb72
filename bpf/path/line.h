// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// How a word that another CPU may be writing is read and written: the only place that knows memory ordering.
//
// The writer (one poller process) makes the sequence odd, stores every word with release, makes it even.
// A reader loads the sequence, the words, and the sequence again: equal and even means nothing is torn.
// x86-64 keeps loads in order (TSO), so a compiler barrier is enough in BPF; arm64 needs a value-returning
// atomic (clang 16 cannot emit a BPF load-acquire); other targets are refused. On the host the loads are
// acquire loads, which also tells ThreadSanitizer what is meant.
#pragma once

#include "path/packet.h"

#ifdef __bpf__
#if defined(__TARGET_ARCH_arm64)
static __u64 nw_fence_word;
#define nw_rmb() __sync_fetch_and_add(&nw_fence_word, 0)
#elif defined(__TARGET_ARCH_x86)
#define nw_rmb() __asm__ __volatile__("" ::: "memory")
#else
#error "memory ordering is known for x86 and arm64 only: define __TARGET_ARCH_x86 or __TARGET_ARCH_arm64"
#endif
#define nw_load(pointer) (*(const volatile __typeof__(*(pointer)) *)(pointer))
#define nw_store(pointer, value) (*(volatile __typeof__(*(pointer)) *)(pointer) = (value))
#define nw_publish(pointer, value)                                                                           \
	do {                                                                                                 \
		nw_rmb(); /* on arm64 a full barrier; x86 keeps stores in order */                           \
		nw_store(pointer, value);                                                                    \
	} while (0)
#else
#define nw_rmb() ((void)0)
#define nw_load(pointer) __atomic_load_n((pointer), __ATOMIC_ACQUIRE)
#define nw_store(pointer, value) __atomic_store_n((pointer), (value), __ATOMIC_RELAXED)
// After everything that was stored before.
#define nw_publish(pointer, value) __atomic_store_n((pointer), (value), __ATOMIC_RELEASE)
#endif

// Copies go word by word through this type, which may alias any struct.
typedef __u64 __attribute__((may_alias)) nw_word;

enum { NW_LINE_READ_TRIES = 3 };

enum nw_read {
	NW_READ_stable,
	NW_READ_unused, // sequence 0: never written
	NW_READ_busy,   // being written, NW_LINE_READ_TRIES times in a row
};

// Copies `words` 64-bit words of a record that starts with a 32-bit sequence.
NW_STEP enum nw_read nw_read_sequenced(const void *shared, void *copy, int words)
{
	const nw_word *from = (const nw_word *)shared;
	nw_word *to = (nw_word *)copy;
	const __u32 *sequence = (const __u32 *)shared;
	for (int i = 0; i < NW_LINE_READ_TRIES; i++) {
		__u32 before = nw_load(sequence);
		if (before == 0)
			return NW_READ_unused;
		if (before & 1)
			continue;
		nw_rmb();
		for (int word = 0; word < words; word++)
			to[word] = nw_load(&from[word]);
		nw_rmb();
		if (nw_load(sequence) == before)
			return NW_READ_stable;
	}
	return NW_READ_busy;
}
