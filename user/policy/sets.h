/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rule sets of the image: lists of rules that match one key, turned into items, stripped of what
 * can never matter, stored once. Refuses to know paths and addresses.
 *
 * An item is dropped when another item of its layer, section and verdict with a smaller rule number
 * covers its access and ports: the other one then decides and is named whenever this one matches.
 * Items that a stricter rule covers are kept, `explain` shows them as the runner-up, unless the set
 * would exceed PK_SET_MAX.
 */
#ifndef PICKET_POLICY_SETS_H
#define PICKET_POLICY_SETS_H

#include "policy/numbered.h"

/** Zero-initialise, sets_init(); sets_intern() as often as needed; then read items. */
struct sets {
	const struct numbered *numbered; /* borrowed */
	struct pk_item *items; /* the items part */
	size_t item_count, item_room;
	__u32 *ids; /* hash table of set ids, 0 = free */
	size_t id_count, id_room; /* room is a power of two */
	__u32 *best; /* per kind: lowest rule of the list at hand */
	__u32 *stamps; /* per kind: the list that `best` is of */
	__u32 stamp;
	__u32 *rules; /* the list reduced to one rule a kind */
	size_t rule_count;
	struct pk_item *work; /* its items */
	size_t work_count, work_room;
};

/** Prepare for the rules of @numbered, which must outlive @sets. 0 or -ENOMEM. */
int sets_init(struct sets *sets, const struct numbered *numbered);

/**
 * The set id of the @count rule numbers at @rules, in any order and with repetitions. Returns 0;
 * -E2BIG when more than PK_SET_MAX items remain (sets->work has them) or the part is full; -ENOMEM.
 */
int sets_intern(struct sets *sets, const __u32 *rules, size_t count, __u32 *ret_id);

/** Report that too many rules decide about one @what ("path", "address"), after -E2BIG. */
void sets_report_overflow(const struct sets *sets, const char *what, struct diag_list *diags);

/** Free everything and zero @sets. */
void sets_reset(struct sets *sets);

#endif
