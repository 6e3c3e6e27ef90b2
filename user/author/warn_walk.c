/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A breadth-first walk over pairs of states; of one automaton the other half of the pair is 0.
 */
#include "author/warn_walk.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "policy/grow.h"

struct pair {
	__u32 at[PK_AUTOMATA];
};

struct walk {
	const struct pk_slot *slots; /* by absolute index */
	__u32 classes; /* one more than the highest */
	struct pair *pairs; /* owned: in the order of the walk */
	size_t count, room;
	__u64 *table; /* owned: keys of the pairs by hash, 0 = free: no pair is looked at to find one */
	size_t table_room; /* a power of two */
};

/* Two states as one number that is not 0. */
static __u64 key_of(struct pair pair)
{
	return (((__u64)pair.at[0] << 32) | pair.at[1]) + 1;
}

/* Where the key is, or where it belongs. */
static size_t place_of(const struct walk *walk, __u64 key)
{
	__u64 hash = key * 0x9e3779b97f4a7c15ULL;
	size_t at = (size_t)((hash ^ hash >> 32) * 0xff51afd7ed558ccdULL >> 36) &
		    (walk->table_room - 1);

	while (walk->table[at] && walk->table[at] != key)
		at = (at + 1) & (walk->table_room - 1);
	return at;
}

static int widen(struct walk *walk)
{
	size_t room = walk->table_room ? walk->table_room * 2 : 1024;
	__u64 *table;

	if (walk->count * 2 < walk->table_room)
		return 0;
	table = calloc(room, sizeof(*table));
	if (!table)
		return -ENOMEM;
	free(walk->table);
	walk->table = table;
	walk->table_room = room;
	for (size_t i = 0; i < walk->count; i++)
		walk->table[place_of(walk, key_of(walk->pairs[i]))] = key_of(walk->pairs[i]);
	return 0;
}

static int add(struct walk *walk, struct pair pair)
{
	int r = widen(walk);
	size_t place;

	if (r < 0)
		return r;
	place = place_of(walk, key_of(pair));
	if (walk->table[place])
		return 0;
	if (walk->count == WALK_STATES_MAX)
		return -E2BIG;
	r = grow(&walk->pairs, &walk->room, walk->count + 1, sizeof(*walk->pairs));
	if (r < 0)
		return r;
	walk->pairs[walk->count++] = pair;
	walk->table[place] = key_of(pair);
	return 0;
}

/* Most bytes lead where all others do: only the exceptions of either state are looked up. */
static int add_successors(struct walk *walk, struct pair from)
{
	const struct pk_slot *a = &walk->slots[from.at[0]];
	const struct pk_slot *b = &walk->slots[from.at[1]];
	struct pair others = { { a->next, from.at[1] ? b->next : 0 } };
	bool any = false;
	int r = 0;

	for (__u32 class = PK_CLASS_FIRST; class < walk->classes && r == 0; class ++) {
		bool own_a = a[class].check == from.at[0];
		bool own_b = from.at[1] && b[class].check == from.at[1];

		any = any || !(own_a || own_b);
		if (own_a || own_b)
			r = add(walk, (struct pair){ { own_a ? a[class].next : others.at[0],
						       own_b ? b[class].next : others.at[1] } });
	}
	return r == 0 && any ? add(walk, others) : r;
}

static __u32 set_of(const struct walk *walk, __u32 state)
{
	return state ? walk->slots[state + 1].next : 0;
}

static __u32 count_classes(const __u8 classes[256])
{
	__u32 count = 0;

	for (int i = 0; i < 256; i++)
		if (classes[i] >= count)
			count = classes[i] + 1U;
	return count;
}

/* Find all that is reached from @start. */
static int walk_from(const struct policy_image *image, const __u8 classes[256], struct pair start,
		     struct walk *walk)
{
	int r;

	walk->slots = (const struct pk_slot *)(const void *)image->bytes;
	walk->classes = count_classes(classes);
	r = add(walk, start);
	for (size_t i = 0; i < walk->count && r == 0; i++)
		r = add_successors(walk, walk->pairs[i]);
	return r;
}

static void walk_reset(struct walk *walk)
{
	free(walk->pairs);
	free(walk->table);
}

int walk_paths(const struct policy_image *image, walk_visit visit, void *context)
{
	const struct pk_image *head = image_head(image);
	CLEAN(walk_reset) struct walk walk = { 0 };
	struct pair start = { { head->path_start[0], head->path_start[1] } };
	int r = walk_from(image, head->path_class, start, &walk);

	for (size_t i = 0; i < walk.count && r == 0; i++) {
		struct pk_sets sets = { { set_of(&walk, walk.pairs[i].at[0]),
					  set_of(&walk, walk.pairs[i].at[1]) } };

		visit(context, &sets);
	}
	return r;
}

int walk_commands(const struct policy_image *image, walk_visit visit, void *context)
{
	const struct pk_image *head = image_head(image);
	CLEAN(walk_reset) struct walk walk = { 0 };
	struct pair start = { { head->argv_start, 0 } };
	int r = head->argv_start ? walk_from(image, head->argv_class, start, &walk) : 0;

	for (size_t i = 0; i < walk.count && r == 0; i++)
		visit(context, &(struct pk_sets){ { set_of(&walk, walk.pairs[i].at[0]), 0 } });
	return r;
}

int walk_hosts(const struct policy_image *image, walk_visit visit, void *context)
{
	const struct pk_image *head = image_head(image);
	CLEAN(walk_reset) struct walk walk = { 0 };
	struct pair start = { { head->host_start, 0 } };
	int r = head->host_start ? walk_from(image, head->host_class, start, &walk) : 0;

	for (size_t i = 0; i < walk.count && r == 0; i++)
		visit(context, &(struct pk_sets){ { 0, set_of(&walk, walk.pairs[i].at[0]) } });
	return r;
}

void walk_addresses(const struct policy_image *image, walk_visit visit, void *context)
{
	const struct pk_image *head = image_head(image);
	const struct pk_span *spans =
		(const struct pk_span *)(const void *)(image->bytes +
						       head->part[PK_PART_SPANS].offset);

	for (__u32 i = 0; i < head->span_count; i++)
		visit(context, &(struct pk_sets){ { spans[i].set, 0 } });
}
