/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From lists of rule numbers to deduplicated sets of items.
 */
#include <string.h>

#include "base/mem.h"
#include "policy/grow.h"
#include "policy/sets.h"

#define ITEMS_MAX (1U << 24) /* the index is 24 bits of a set id */
#define FIRST_ROOM 1024

int sets_init(struct sets *sets, const struct numbered *numbered)
{
	sets->numbered = numbered;
	sets->best = calloc(numbered->kinds + 1, sizeof(*sets->best));
	sets->stamps = calloc(numbered->kinds + 1, sizeof(*sets->stamps));
	sets->rules = calloc(numbered->kinds + 1, sizeof(*sets->rules));
	sets->ids = calloc(FIRST_ROOM, sizeof(*sets->ids));
	sets->id_room = FIRST_ROOM;
	return sets->best && sets->stamps && sets->rules && sets->ids ? 0 : -ENOMEM;
}

static int compare_numbers(const void *a, const void *b)
{
	__u32 left = *(const __u32 *)a;
	__u32 right = *(const __u32 *)b;

	return (left > right) - (left < right);
}

/* Keep the lowest rule of each kind; the result is sorted by rule number. */
static void reduce(struct sets *sets, const __u32 *rules, size_t count)
{
	size_t kinds = 0;

	sets->stamp++;
	for (size_t i = 0; i < count; i++) {
		__u32 kind = sets->numbered->rules[rules[i]].kind;

		if (sets->stamps[kind] != sets->stamp) {
			sets->stamps[kind] = sets->stamp;
			sets->best[kind] = rules[i];
			sets->rules[kinds++] = kind;
		} else if (rules[i] < sets->best[kind]) {
			sets->best[kind] = rules[i];
		}
	}
	for (size_t i = 0; i < kinds; i++)
		sets->rules[i] = sets->best[sets->rules[i]];
	qsort(sets->rules, kinds, sizeof(*sets->rules), compare_numbers);
	sets->rule_count = kinds;
}

/* True when every query that @item matches is matched by @by in the same layer and section. */
static bool covers(const struct pk_item *by, const struct pk_item *item)
{
	return by->layer == item->layer && by->section == item->section &&
	       !(item->access & ~by->access) && by->port_lo <= item->port_lo &&
	       by->port_hi >= item->port_hi && !(item->subjects & ~by->subjects);
}

static bool is_repeated(const struct sets *sets, const struct pk_item *item)
{
	for (size_t i = 0; i < sets->work_count; i++)
		if (sets->work[i].verdict == item->verdict && covers(&sets->work[i], item))
			return true;
	return false;
}

static int add_items(struct sets *sets, __u32 number)
{
	const struct numbered_rule *rule = &sets->numbered->rules[number];
	int r;

	r = grow(&sets->work, &sets->work_room, sets->work_count + rule->port_count,
		 sizeof(*sets->work));
	if (r)
		return r;
	for (size_t i = 0; i < rule->port_count; i++) {
		struct pk_item item = {
			.layer = rule->layer,
			.verdict = (__u8)rule->rule->verdict,
			.section = (__u8)rule->rule->section,
			.access = rule->access,
			.port_lo = rule->ports[i].low,
			.port_hi = rule->ports[i].high,
			.subjects = rule->subjects,
			.rule = number,
		};

		if (!is_repeated(sets, &item))
			sets->work[sets->work_count++] = item;
	}
	return 0;
}

/* Drop what a stricter item covers: it can neither decide nor leave its layer uncovered. */
static void drop_overruled(struct sets *sets)
{
	size_t kept = 0;

	for (size_t i = 0; i < sets->work_count; i++) {
		struct pk_item item = sets->work[i];
		bool overruled = false;

		/* Those already overwritten are kept ones: covering is transitive. */
		for (size_t j = 0; j < sets->work_count && !overruled; j++)
			overruled = (j < kept || j > i) && sets->work[j].verdict > item.verdict &&
				    covers(&sets->work[j], &item);
		if (!overruled)
			sets->work[kept++] = item;
	}
	sets->work_count = kept;
}

static __u32 hash_items(const struct pk_item *items, size_t count)
{
	const __u8 *bytes = (const __u8 *)items;
	__u64 hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < count * sizeof(*items); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	return (__u32)(hash ^ hash >> 32);
}

/* The table's place of the set of @count items at @items: its id, or a free one. */
static __u32 *find_place(const struct sets *sets, const struct pk_item *items, size_t count)
{
	size_t mask = sets->id_room - 1;
	size_t at = hash_items(items, count) & mask;

	while (sets->ids[at]) {
		__u32 id = sets->ids[at];

		if ((id & 0xff) == count &&
		    memcmp(&sets->items[id >> 8], items, count * sizeof(*items)) == 0)
			break;
		at = (at + 1) & mask;
	}
	return &sets->ids[at];
}

static int widen_table(struct sets *sets)
{
	__u32 *old = sets->ids;
	size_t room = sets->id_room;
	__u32 *ids;

	if (sets->id_count * 2 < room)
		return 0;
	ids = calloc(room * 2, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	sets->ids = ids;
	sets->id_room = room * 2;
	for (size_t i = 0; i < room; i++)
		if (old[i])
			*find_place(sets, &sets->items[old[i] >> 8], old[i] & 0xff) = old[i];
	free(old);
	return 0;
}

static int store(struct sets *sets, __u32 *ret_id)
{
	__u32 *place;
	int r;

	r = widen_table(sets);
	if (r)
		return r;
	place = find_place(sets, sets->work, sets->work_count);
	if (!*place) {
		if (sets->item_count + sets->work_count > ITEMS_MAX)
			return -E2BIG;
		r = grow(&sets->items, &sets->item_room, sets->item_count + sets->work_count,
			 sizeof(*sets->items));
		if (r)
			return r;
		memcpy(sets->items + sets->item_count, sets->work,
		       sets->work_count * sizeof(*sets->items));
		*place = (__u32)(sets->item_count << 8 | sets->work_count);
		sets->item_count += sets->work_count;
		sets->id_count++;
	}
	*ret_id = *place;
	return 0;
}

int sets_intern(struct sets *sets, const __u32 *rules, size_t count, __u32 *ret_id)
{
	int r;

	*ret_id = 0;
	if (!count)
		return 0;
	reduce(sets, rules, count);
	sets->work_count = 0;
	for (size_t i = 0; i < sets->rule_count; i++) {
		r = add_items(sets, sets->rules[i]);
		if (r)
			return r;
	}
	if (sets->work_count > PK_SET_MAX)
		drop_overruled(sets);
	if (sets->work_count > PK_SET_MAX)
		return -E2BIG;
	return store(sets, ret_id);
}

void sets_report_overflow(const struct sets *sets, const char *what, struct diag_list *diags)
{
	const struct numbered_rule *rules = sets->numbered->rules;
	struct diag *diag;
	__u32 last = PK_RULE_NONE;
	unsigned int named = 0;

	if (sets->work_count <= PK_SET_MAX) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "the policy needs over %u rule items",
				   ITEMS_MAX),
			  "use fewer rules that overlap");
		return;
	}
	diag = diag_add(
		diags, DIAG_ERROR, &rules[sets->work[0].rule].pattern->pos,
		"%zu rules and port ranges decide about one and the same %s, at most %u may",
		sets->work_count, what, PK_SET_MAX);
	diag_hint(diag, "merge rules that overlap; the next findings name some of them");
	for (size_t i = 0; i < sets->work_count && named < 8; i++) {
		const struct policy_pattern *pattern = rules[sets->work[i].rule].pattern;

		if (sets->work[i].rule == last)
			continue;
		last = sets->work[i].rule;
		named++;
		diag_add(diags, DIAG_ERROR, &pattern->pos, "'%s' is one of them", pattern->source);
	}
}

void sets_reset(struct sets *sets)
{
	free(sets->items);
	free(sets->ids);
	free(sets->best);
	free(sets->stamps);
	free(sets->rules);
	free(sets->work);
	*sets = (struct sets){ 0 };
}
