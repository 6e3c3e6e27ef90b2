/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distinct sequences of numbers, numbered in the order in which they first came: position lists of
 * states, signatures of nodes and states. Knows nothing of what the numbers mean.
 */
#ifndef PICKET_POLICY_WORDS_H
#define PICKET_POLICY_WORDS_H

#include <string.h>

#include <linux/types.h>

#include "policy/grow.h"

/** One stored sequence. */
struct words_run {
	__u32 start; /* in words->items */
	__u32 count;
	__u32 hash;
};

/** All sequences; owns its memory. Zero-initialise, free with words_reset(). */
struct words {
	__u32 *items; /* the runs, then the sequence being made */
	size_t item_count, item_room;
	size_t open; /* where the sequence being made starts */
	struct words_run *runs;
	size_t run_count, run_room;
	__u32 *table; /* run + 1 by hash, 0 = free */
	size_t table_room; /* power of two */
};

/** Append a number to the sequence being made. 0 or -ENOMEM. */
static inline int words_push(struct words *words, __u32 word)
{
	int r;

	r = grow(&words->items, &words->item_room, words->item_count + 1, sizeof(word));
	if (!r)
		words->items[words->item_count++] = word;
	return r;
}

/** Append @count numbers. 0 or -ENOMEM. */
int words_push_all(struct words *words, const __u32 *numbers, size_t count);

/**
 * End the sequence being made and begin the next. *@ret_number is its number: that of an equal one,
 * or run_count - 1 when it is new. 0 or -ENOMEM.
 */
int words_close(struct words *words, __u32 *ret_number);

/** Forget all sequences and keep the memory; cheap when there are few. */
void words_clear(struct words *words);

/** Free everything and zero @words. */
void words_reset(struct words *words);

#endif
