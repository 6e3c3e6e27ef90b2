/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a rule set means, in terms that both images share: its items without what another item of the set
 * makes useless, in one order, without rule numbers. Two sets that mean the same decide every query alike
 * where the defaults are alike; where they mean something else they may still do.
 */
#include <errno.h>
#include <string.h>

#include "author/diff_pair.h"
#include "base/mem.h"

/* An item for one bit of access. */
struct meaning {
	__u8 section;
	__u8 bit;
	__u8 layer;
	__u8 verdict;
	__u16 port_lo;
	__u16 port_hi;
	__u64 subjects;
};

#define MEANING_WORDS (sizeof(struct meaning) / sizeof(__u32))
/* Items of a set, and four bits of access each. */
#define MEANINGS_MAX (PK_SET_MAX * 4)

_Static_assert(sizeof(struct meaning) == 16, "no holes: compared as bytes");

static __u64 subjects_of(const struct diff_labels *labels, size_t side, __u32 mask)
{
	__u64 subjects = 0;

	if (mask == PK_SUBJECTS_ALL)
		return ~0ULL;
	for (unsigned int i = 0; i < PK_SUBJECTS_MAX; i++)
		if (mask >> i & 1)
			subjects |= labels->subjects[side][i];
	return subjects;
}

static size_t list_meanings(const struct diff_labels *labels, size_t side, __u32 set,
			    struct meaning list[MEANINGS_MAX])
{
	const struct policy_image *image = labels->images[side];
	const struct pk_item *items =
		(const void *)(image->bytes + image_head(image)->part[PK_PART_ITEMS].offset);
	size_t count = 0;

	for (__u32 i = 0; i < (set & 0xff) && i < PK_SET_MAX; i++) {
		const struct pk_item *item = &items[(set >> 8) + i];

		if (!(labels->sections >> item->section & 1))
			continue;
		for (__u32 bit = 1; bit <= 8; bit <<= 1)
			if (item->access & bit)
				list[count++] = (struct meaning){
					.section = item->section,
					.bit = (__u8)bit,
					.layer = item->layer,
					.verdict = item->verdict,
					.port_lo = item->port_lo,
					.port_hi = item->port_hi,
					.subjects = subjects_of(labels, side, item->subjects),
				};
	}
	return count;
}

/* Is @a useless beside @b? Of two that are alike the second is. */
static bool is_useless(const struct meaning *a, const struct meaning *b, bool a_first)
{
	if (a->section != b->section || a->bit != b->bit || a->layer != b->layer ||
	    a->verdict > b->verdict || a->port_lo < b->port_lo || a->port_hi > b->port_hi ||
	    (a->subjects & ~b->subjects))
		return false;
	return !a_first || memcmp(a, b, sizeof(*a)) != 0;
}

static int compare_meanings(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct meaning));
}

static int meaning_of(struct diff_labels *labels, size_t side, __u32 set, __u32 *ret_meaning)
{
	struct meaning list[MEANINGS_MAX];
	struct meaning kept[MEANINGS_MAX];
	size_t count = list_meanings(labels, side, set, list);
	size_t left = 0;
	__u32 words[MEANING_WORDS];
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		bool useless = false;

		for (size_t j = 0; j < count && !useless; j++)
			useless = j != i && is_useless(&list[i], &list[j], i < j);
		if (!useless)
			kept[left++] = list[i];
	}
	if (left)
		qsort(kept, left, sizeof(*kept), compare_meanings);
	for (size_t i = 0; i < left && !r; i++) {
		memcpy(words, &kept[i], sizeof(words));
		r = words_push_all(&labels->meanings, words, MEANING_WORDS);
	}
	return r ? r : words_close(&labels->meanings, ret_meaning);
}

/* The label of two sets that were not seen together before. */
static int make_label(struct diff_labels *labels, __u32 before, __u32 after, __u32 *ret_label)
{
	struct diff_label label = { .set = { before, after } };
	__u32 meanings[DIFF_SIDES];
	int r = meaning_of(labels, 0, before, &meanings[0]);

	if (!r)
		r = meaning_of(labels, 1, after, &meanings[1]);
	if (r)
		return r;
	label.same = meanings[0] == meanings[1];
	if (labels->by_meaning) {
		before = meanings[0];
		after = meanings[1];
	}
	r = words_push(&labels->keys, label.same);
	if (!r)
		r = words_push(&labels->keys, label.same ? meanings[0] : before);
	if (!r && !label.same)
		r = words_push(&labels->keys, after);
	if (!r)
		r = words_close(&labels->keys, ret_label);
	if (!r)
		r = grow(&labels->labels, &labels->room, labels->keys.run_count, sizeof(label));
	if (!r && *ret_label == labels->count)
		labels->labels[labels->count++] = label;
	return r;
}

int diff_label_of(struct diff_labels *labels, __u32 before, __u32 after, __u32 *ret_label)
{
	size_t known = labels->raw.run_count;
	__u32 number = 0;
	int r = words_push(&labels->raw, before);

	if (!r)
		r = words_push(&labels->raw, after);
	if (!r)
		r = words_close(&labels->raw, &number);
	if (!r)
		r = grow(&labels->of_raw, &labels->raw_room, labels->raw.run_count,
			 sizeof(*labels->of_raw));
	if (!r && number == known)
		r = make_label(labels, before, after, &labels->of_raw[number]);
	if (!r)
		*ret_label = labels->of_raw[number];
	return r;
}

void diff_labels_reset(struct diff_labels *labels)
{
	free(labels->labels);
	free(labels->of_raw);
	words_reset(&labels->raw);
	words_reset(&labels->keys);
	words_reset(&labels->meanings);
	labels->labels = NULL;
	labels->of_raw = NULL;
	labels->count = labels->room = labels->raw_room = 0;
}
