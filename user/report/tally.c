/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An open hash table over a list of rows.
 */
#include "report/tally.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 256

static size_t hash_of(const char *key)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3ULL;
	return (size_t)(hash ^ hash >> 29);
}

/* The slot of @key, or the free one where it would be. There is always a free one. */
static size_t *find_slot(const struct tally *tally, const char *key)
{
	size_t mask = tally->slot_count - 1;
	size_t at = hash_of(key) & mask;

	while (tally->slots[at] && strcmp(tally->rows[tally->slots[at] - 1].key, key) != 0)
		at = (at + 1) & mask;
	return &tally->slots[at];
}

/* Twice as many slots. */
static int grow_slots(struct tally *tally)
{
	size_t count = tally->slot_count ? tally->slot_count * 2 : SLOTS_FIRST;
	size_t *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return -1;
	free(tally->slots);
	tally->slots = slots;
	tally->slot_count = count;
	for (size_t i = 0; i < tally->count; i++)
		*find_slot(tally, tally->rows[i].key) = i + 1;
	return 0;
}

static struct tally_row *new_row(struct tally *tally, const char *key)
{
	struct tally_row *grown;
	char *copy;

	if (tally->count >= TALLY_MAX)
		return NULL;
	if (tally->count * 2 >= tally->slot_count && grow_slots(tally))
		return NULL;
	if (tally->count == tally->room) {
		grown = reallocarray(tally->rows, tally->room * 2 + 16, sizeof(*grown));
		if (!grown)
			return NULL;
		tally->rows = grown;
		tally->room = tally->room * 2 + 16;
	}
	copy = strdup(key);
	if (!copy)
		return NULL;
	*find_slot(tally, key) = tally->count + 1;
	tally->rows[tally->count] = (struct tally_row){ .key = copy };
	return &tally->rows[tally->count++];
}

const struct tally_row *tally_find(const struct tally *tally, const char *key)
{
	size_t slot = tally->slot_count ? *find_slot(tally, key) : 0;

	return slot ? &tally->rows[slot - 1] : NULL;
}

struct tally_row *tally_add(struct tally *tally, const char *key, enum tally_what what, __u64 times,
			    __s64 when_ns)
{
	size_t slot = tally->slot_count ? *find_slot(tally, key) : 0;
	struct tally_row *row = slot ? &tally->rows[slot - 1] : new_row(tally, key);

	if (!row) {
		tally->left_out += times;
		return NULL;
	}
	row->count[what] += times;
	if (!row->first_ns)
		row->first_ns = when_ns;
	row->last_ns = when_ns;
	return row;
}

static int compare(const void *a, const void *b)
{
	const struct tally_row *left = a;
	const struct tally_row *right = b;

	for (size_t i = 0; i < TALLY__MAX; i++) {
		if (left->count[i] != right->count[i])
			return left->count[i] > right->count[i] ? -1 : 1;
	}
	if (left->first_ns != right->first_ns)
		return left->first_ns < right->first_ns ? -1 : 1;
	return strcmp(left->key, right->key);
}

void tally_sort(struct tally *tally)
{
	if (tally->count > 1)
		qsort(tally->rows, tally->count, sizeof(*tally->rows), compare);
	free(tally->slots);
	tally->slots = NULL;
	tally->slot_count = 0;
}

void tally_reset(struct tally *tally)
{
	for (size_t i = 0; i < tally->count; i++) {
		json_decref(tally->rows[i].sample);
		free(tally->rows[i].key);
	}
	free(tally->rows);
	free(tally->slots);
	*tally = (struct tally){ 0 };
}
