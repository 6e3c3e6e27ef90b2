/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of distinct texts in one run of bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/grow.h"
#include "policy/strings.h"

#define STRINGS_MAX (1U << 30)

static size_t hash_text(const char *text)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (__u8)*text) * 0x100000001b3ULL;
	return (size_t)(hash ^ hash >> 32);
}

/* The table's place of @text: its offset, or a free one. */
static __u32 *find_place(const struct strings *strings, const char *text)
{
	size_t mask = strings->table_room - 1;
	size_t at = hash_text(text) & mask;

	while (strings->offsets[at] && strcmp(strings->bytes + strings->offsets[at], text) != 0)
		at = (at + 1) & mask;
	return &strings->offsets[at];
}

static int widen_table(struct strings *strings)
{
	size_t room = strings->table_room ? strings->table_room * 2 : 256;
	__u32 *old = strings->offsets;
	size_t old_room = strings->table_room;
	__u32 *offsets;

	if (strings->count * 2 < strings->table_room)
		return 0;
	offsets = calloc(room, sizeof(*offsets));
	if (!offsets)
		return -ENOMEM;
	strings->offsets = offsets;
	strings->table_room = room;
	for (size_t i = 0; i < old_room; i++)
		if (old[i])
			*find_place(strings, strings->bytes + old[i]) = old[i];
	free(old);
	return 0;
}

static int append(struct strings *strings, const char *text)
{
	size_t size = strlen(text) + 1;
	int r;

	if (strings->size + size > STRINGS_MAX)
		return -E2BIG;
	r = grow(&strings->bytes, &strings->room, strings->size + size, 1);
	if (r)
		return r;
	memcpy(strings->bytes + strings->size, text, size);
	strings->size += size;
	return 0;
}

int strings_add(struct strings *strings, const char *text, __u32 *ret_offset)
{
	__u32 *place;
	int r = 0;

	if (!strings->size)
		r = append(strings, "");
	if (!r)
		r = widen_table(strings);
	if (r)
		return r;
	*ret_offset = 0;
	if (!text || !*text)
		return 0;
	place = find_place(strings, text);
	if (!*place) {
		__u32 offset = (__u32)strings->size;

		r = append(strings, text);
		if (r)
			return r;
		*place = offset;
		strings->count++;
	}
	*ret_offset = *place;
	return 0;
}

void strings_reset(struct strings *strings)
{
	free(strings->bytes);
	free(strings->offsets);
	*strings = (struct strings){ 0 };
}
