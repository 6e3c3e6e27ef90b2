/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table of runs in one array. Equal hashes are compared in full: a mistake here would merge
 * states that differ.
 */
#include "policy/words.h"

#define FIRST_ROOM 256

int words_push_all(struct words *words, const __u32 *numbers, size_t count)
{
	int r;

	r = grow(&words->items, &words->item_room, words->item_count + count + 1, sizeof(*numbers));
	if (r || !count)
		return r;
	memcpy(words->items + words->item_count, numbers, count * sizeof(*numbers));
	words->item_count += count;
	return 0;
}

static __u32 hash_numbers(const __u32 *numbers, size_t count)
{
	__u64 hash = count;

	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ numbers[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return (__u32)(hash ^ hash >> 32);
}

static int widen_table(struct words *words)
{
	size_t room = words->table_room ? words->table_room * 2 : FIRST_ROOM;
	__u32 *table;

	if (words->run_count * 2 < words->table_room)
		return 0;
	table = calloc(room, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < words->run_count; i++) {
		size_t at = words->runs[i].hash & (room - 1);

		while (table[at])
			at = (at + 1) & (room - 1);
		table[at] = (__u32)i + 1;
	}
	free(words->table);
	words->table = table;
	words->table_room = room;
	return 0;
}

static int same(const struct words *words, const struct words_run *a, const struct words_run *b)
{
	return a->hash == b->hash && a->count == b->count &&
	       (!a->count || memcmp(words->items + a->start, words->items + b->start,
				    a->count * sizeof(*words->items)) == 0);
}

int words_close(struct words *words, __u32 *ret_number)
{
	struct words_run run = {
		.start = (__u32)words->open,
		.count = (__u32)(words->item_count - words->open),
	};
	size_t at;
	int r;

	r = widen_table(words);
	if (!r)
		r = grow(&words->runs, &words->run_room, words->run_count + 1,
			 sizeof(*words->runs));
	if (r)
		return r;
	if (run.count)
		run.hash = hash_numbers(words->items + run.start, run.count);
	for (at = run.hash & (words->table_room - 1); words->table[at];
	     at = (at + 1) & (words->table_room - 1)) {
		if (!same(words, &words->runs[words->table[at] - 1], &run))
			continue;
		words->item_count = words->open;
		*ret_number = words->table[at] - 1;
		return 0;
	}
	*ret_number = (__u32)words->run_count;
	words->runs[words->run_count++] = run;
	words->table[at] = (__u32)words->run_count;
	words->open = words->item_count;
	return 0;
}

void words_clear(struct words *words)
{
	if (words->run_count > words->table_room / 8) {
		memset(words->table, 0, words->table_room * sizeof(*words->table));
	} else {
		/* Clearing from a run's own place to the next gap clears all that was pushed on. */
		for (size_t i = 0; i < words->run_count; i++) {
			size_t at = words->runs[i].hash & (words->table_room - 1);

			for (; words->table[at]; at = (at + 1) & (words->table_room - 1))
				words->table[at] = 0;
		}
	}
	words->run_count = 0;
	words->item_count = 0;
	words->open = 0;
}

void words_reset(struct words *words)
{
	free(words->items);
	free(words->runs);
	free(words->table);
	*words = (struct words){ 0 };
}
