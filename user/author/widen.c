/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All sets that some key has are passed over. A pattern that the layers above leave something of in one of
 * them is done with; what is left over is refused everywhere.
 */
#include "author/widen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "author/warn_walk.h"
#include "base/mem.h"
#include "policy/decide.h"
#include "telemetry/names.h"

/* What is known of a pattern. */
struct attempt {
	bool effective; /* the layers above leave something of it */
	__u32 culprit; /* who refuses it: a rule reference; PK_RULE_NONE: not met yet */
};

struct widening {
	const struct policy_image *image;
	const struct pk_item *items;
	__u32 lowest; /* layer */
	struct attempt *attempts; /* by rule number */
	size_t count;
	__u32 sections; /* bits: what the walk at hand is about */
	__u8 access; /* of section exec: programs, or command lines */
};

/* One key, program and port, and what the layers above say. */
struct above {
	const struct pk_item *item; /* of the lowest layer */
	__u8 bit;
	__u32 port;
	__u32 subjects;
	__u32 preferred; /* who refused other keys of the item */
	__u32 covered; /* layers with a rule about it */
	__u32 culprit; /* a rule that denies, or PK_RULE_NONE */
};

static bool is_about(const struct above *above, const struct pk_item *other)
{
	const struct pk_query query = { .subjects = above->subjects };

	return other->section == above->item->section && (other->access & above->bit) &&
	       above->port >= other->port_lo && above->port <= other->port_hi &&
	       pk_item_concerns(other, &query);
}

/* Hear the items of both sets that are of layers above. */
static void hear(const struct widening *w, const struct pk_sets *sets, struct above *above)
{
	for (size_t s = 0; s < PK_AUTOMATA; s++)
		for (__u32 i = 0; i < (sets->id[s] & 0xff); i++) {
			const struct pk_item *other = &w->items[(sets->id[s] >> 8) + i];

			if (other->layer >= w->lowest || !is_about(above, other))
				continue;
			above->covered |= 1U << other->layer;
			/* Of several the one that was there for other keys, too, says more. */
			if (other->verdict == PK_VERDICT_DENY &&
			    (above->culprit == PK_RULE_NONE || other->rule == above->preferred))
				above->culprit = other->rule;
		}
}

/* Who refuses: a rule, or the default of a layer without one. PK_RULE_NONE: nobody. */
static __u32 culprit_of(const struct widening *w, const struct above *above)
{
	const struct pk_default *def = &image_head(w->image)->defaults[above->item->section];

	if (above->culprit != PK_RULE_NONE || above->item->section == PK_SECTION_EGRESS)
		return above->culprit;
	for (__u32 layer = 0; layer < w->lowest; layer++)
		if (!(above->covered >> layer & 1) && (def->deny >> (layer * 4) & 1))
			return PK_RULE_DEFAULT | layer << 8 | above->item->section;
	return PK_RULE_NONE;
}

/* Is something left of @item at @port, for some access and the program that fewest rules are about? */
static bool is_left(const struct widening *w, const struct pk_sets *sets,
		    const struct pk_item *item, __u32 port, __u32 *ret_culprit)
{
	__u32 subjects = item->subjects == PK_SUBJECTS_ALL ? 0 : item->subjects & -item->subjects;

	for (__u32 bit = 1; bit <= PK_ACCESS_CONNECT; bit <<= 1) {
		struct above above = { item,	     (__u8)bit, port,	     subjects,
				       *ret_culprit, 0,		PK_RULE_NONE };

		if (!(item->access & bit) ||
		    (item->section == PK_SECTION_EXEC && !(bit & w->access)))
			continue;
		hear(w, sets, &above);
		*ret_culprit = culprit_of(w, &above);
		if (*ret_culprit == PK_RULE_NONE)
			return true;
	}
	return false;
}

/* The same at all ports: it can only change where an item begins, or behind one that ends. */
static bool is_left_anywhere(const struct widening *w, const struct pk_sets *sets,
			     const struct pk_item *item, __u32 *ret_culprit)
{
	if (is_left(w, sets, item, item->port_lo, ret_culprit))
		return true;
	for (size_t s = 0; s < PK_AUTOMATA; s++)
		for (__u32 i = 0; i < (sets->id[s] & 0xff); i++) {
			const struct pk_item *other = &w->items[(sets->id[s] >> 8) + i];
			__u32 behind = other->port_hi + 1U;

			if (behind > item->port_lo && behind <= item->port_hi &&
			    is_left(w, sets, item, behind, ret_culprit))
				return true;
			if (other->port_lo > item->port_lo && other->port_lo <= item->port_hi &&
			    is_left(w, sets, item, other->port_lo, ret_culprit))
				return true;
		}
	return false;
}

static void visit(void *context, const struct pk_sets *sets)
{
	struct widening *w = context;

	for (size_t s = 0; s < PK_AUTOMATA; s++)
		for (__u32 i = 0; i < (sets->id[s] & 0xff); i++) {
			const struct pk_item *item = &w->items[(sets->id[s] >> 8) + i];
			struct attempt *attempt = &w->attempts[item->rule];
			__u32 culprit = attempt->culprit;

			if (item->layer != w->lowest || item->verdict == PK_VERDICT_DENY ||
			    attempt->effective || !(w->sections >> item->section & 1) ||
			    (item->section == PK_SECTION_EXEC && !(item->access & w->access)))
				continue;
			if (is_left_anywhere(w, sets, item, &culprit))
				attempt->effective = true;
			else
				attempt->culprit = culprit;
		}
}

/* Where rules look at command lines a pattern of exec is about those. */
static int walk(struct widening *w)
{
	const struct pk_image *head = image_head(w->image);
	int r;

	w->sections = 1U << PK_SECTION_FILES | 1U << PK_SECTION_UNIX;
	w->access = PK_ACCESS_RUN;
	if (!head->argv_start)
		w->sections |= 1U << PK_SECTION_EXEC;
	r = walk_paths(w->image, visit, w);
	w->sections = 1U << PK_SECTION_EXEC;
	w->access = PK_ACCESS_COMMAND;
	if (!r && head->argv_start)
		r = walk_commands(w->image, visit, w);
	w->sections = 1U << PK_SECTION_EGRESS | 1U << PK_SECTION_LISTEN | 1U << PK_SECTION_ACCEPT;
	if (!r && head->host_start)
		r = walk_hosts(w->image, visit, w);
	if (!r)
		walk_addresses(w->image, visit, w);
	return r;
}

static void report(const struct policy_image *image, const struct pk_rule *rule, __u32 culprit,
		   struct diag_list *diags)
{
	const struct pk_rule *above = image_rule(image, culprit);
	const struct diag_pos pos = {
		.file = image_string(image, rule->file),
		.line = rule->line,
		.column = rule->column,
	};
	const char *text = image_string(image, rule->text);
	struct diag *diag;

	if (above)
		diag = diag_add(diags, DIAG_ERROR, &pos,
				"'%s' cannot be allowed here: '%s' at %s:%u:%u, of a layer above, "
				"denies all of it",
				text, image_string(image, above->text),
				image_string(image, above->file), above->line, above->column);
	else
		diag = diag_add(
			diags, DIAG_ERROR, &pos,
			"'%s' cannot be allowed here: the default of '%s' in layer %u, above "
			"it, denies all of it",
			text, names_section(rule->section),
			((culprit & ~PK_RULE_DEFAULT) >> 8) + 1);
	diag_hint(diag, "a layer can only narrow those above it: take the pattern back, or have it "
			"allowed there");
	if (diag)
		diag->length = (unsigned int)strlen(text);
}

int widen_find(const struct policy_image *image, struct diag_list *diags)
{
	const struct pk_image *head = image_head(image);
	CLEAN_FREE struct attempt *attempts = NULL;
	struct widening w = {
		.image = image,
		.items = (const void *)(image->bytes + head->part[PK_PART_ITEMS].offset),
		.lowest = head->layers - 1,
		.count = head->part[PK_PART_RULES].size / sizeof(struct pk_rule),
	};
	int r;

	if (head->layers < 2)
		return 0;
	attempts = calloc(w.count + 1, sizeof(*attempts));
	if (!attempts)
		return -ENOMEM;
	for (size_t i = 0; i < w.count; i++)
		attempts[i].culprit = PK_RULE_NONE;
	w.attempts = attempts;
	r = walk(&w);
	if (r)
		return r == -E2BIG ? 0 : r;
	for (__u32 i = 0; i < w.count; i++) {
		const struct pk_rule *rule = image_rule(image, i);

		if (!attempts[i].effective && attempts[i].culprit != PK_RULE_NONE &&
		    strncmp(image_string(image, rule->file), "presets/", 8) != 0)
			report(image, rule, attempts[i].culprit, diags);
	}
	return 0;
}
