/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Patterns that never decide. The automata are walked through every state that some key reaches (of
 * paths through the pairs of states, for both automata have a say), the address table through every
 * span; a pattern decides when the matcher names it there for some access, port and program. What is
 * left over at the end is proven to decide nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "author/warn_parts.h"
#include "author/warn_walk.h"
#include "base/mem.h"
#include "policy/decide.h"
#include "policy/registries_rule.h"
#include "telemetry/names.h"

/** What is known so far. */
struct dead {
	struct warn *warn;
	const struct pk_item *items;
	bool *decides; /* by rule number */
	__u8 access[PK_SECTION__MAX]; /* what the walk at hand is about; 0: not this section */
};

/* Section listen makes rules of section accept of its own; those are nobody's to change. */
static bool is_about(const struct dead *dead, const struct pk_item *item)
{
	return item->rule < dead->warn->count && !dead->decides[item->rule] &&
	       (item->access & dead->access[item->section]);
}

static bool wins(const struct dead *dead, const struct pk_sets *sets, const struct pk_item *item,
		 __u32 port)
{
	struct pk_view view = image_view(dead->warn->image);
	/* The fewest other rules are about a program that no list names, or that one list names. */
	__u32 subjects = item->subjects == PK_SUBJECTS_ALL ? 0 : item->subjects;

	for (__u32 bit = 1; bit <= PK_ACCESS_CONNECT; bit <<= 1) {
		struct pk_query query = {
			.section = item->section,
			.access = item->access & bit & dead->access[item->section],
			.port = port,
			.flags = PK_JUDGE_RULES_ONLY,
		};
		__u32 left = subjects;

		if (!query.access)
			continue;
		do {
			query.subjects = left & -left;
			left &= left - 1;
			if (pk_judge_sets(&view, image_head(dead->warn->image), sets, &query).rule ==
			    item->rule)
				return true;
		} while (subjects && left);
	}
	return false;
}

/* Over the ports the winner changes only where an item begins or one has ended. */
static bool wins_somewhere(const struct dead *dead, const struct pk_sets *sets,
			   const struct pk_item *item)
{
	if (wins(dead, sets, item, item->port_lo))
		return true;
	for (size_t s = 0; s < PK_AUTOMATA; s++) {
		const struct pk_item *others = &dead->items[sets->id[s] >> 8];

		for (__u32 i = 0; i < (sets->id[s] & 0xff); i++) {
			__u32 port = (__u32)others[i].port_hi + 1;

			if (port > item->port_lo && port <= item->port_hi &&
			    wins(dead, sets, item, port))
				return true;
		}
	}
	return false;
}

static void see(void *context, const struct pk_sets *sets)
{
	struct dead *dead = context;

	for (size_t s = 0; s < PK_AUTOMATA; s++) {
		const struct pk_item *items = &dead->items[sets->id[s] >> 8];

		for (__u32 i = 0; i < (sets->id[s] & 0xff); i++)
			if (is_about(dead, &items[i]) && wins_somewhere(dead, sets, &items[i]))
				dead->decides[items[i].rule] = true;
	}
}

static int walk_all(struct dead *dead)
{
	const struct policy_image *image = dead->warn->image;
	int r;

	dead->access[PK_SECTION_FILES] = PK_ACCESS_FILES;
	dead->access[PK_SECTION_UNIX] = PK_ACCESS_ABSTRACT;
	dead->access[PK_SECTION_EXEC] = PK_ACCESS_RUN;
	r = walk_paths(image, see, dead);
	memset(dead->access, 0, sizeof(dead->access));
	dead->access[PK_SECTION_EXEC] = PK_ACCESS_COMMAND;
	if (r == 0)
		r = walk_commands(image, see, dead);
	memset(dead->access, 0, sizeof(dead->access));
	dead->access[PK_SECTION_EGRESS] = PK_ACCESS_EGRESS | PK_ACCESS_ICMP;
	dead->access[PK_SECTION_LISTEN] = PK_ACCESS_EGRESS;
	if (r == 0)
		r = walk_hosts(image, see, dead);
	if (r == 0)
		walk_addresses(image, see, dead);
	return r;
}

/* The rule that decides about a name: its own, or one below a wildcard. */
static void winner_of_name(const struct warn *warn, const struct policy_pattern *pattern,
			   const struct pk_query *query, struct pk_result *ret_result)
{
	struct pk_view view = image_view(warn->image);
	struct pk_sets sets = { 0 };
	const char *base = pattern->host + strspn(pattern->host, "*.");
	char name[PK_HOST_MAX + 8];

	(void)snprintf(name, sizeof(name), "%s%s%s", *pattern->host == '*' ? "x" : "",
		       *pattern->host == '*' && *base ? "." : "", base);
	if (decide_host_set(warn->image, name, &sets.id[1]) == 0)
		*ret_result = pk_judge_sets(&view, image_head(warn->image), &sets, query);
}

/* The rule that decides about one key of the pattern, for one access. PK_RULE_NONE: it cannot be told. */
static int find_winner(const struct warn *warn, const struct warn_pattern *at, __u32 *ret_rule)
{
	CLEAN(sample_reset) struct sample sample = { 0 };
	const struct policy_pattern *pattern = at->pattern;
	struct pk_result result = { .rule = PK_RULE_NONE };
	struct pk_query query = {
		.section = at->rule->section,
		.access = (__u32)at->rule->access & -(__u32)at->rule->access,
		.port = pattern->port_count ? pattern->ports[0].low : 0,
		.subjects = at->rule->by_count ? PK_SUBJECTS_ALL : 0,
		.flags = PK_JUDGE_RULES_ONLY,
	};
	int r = 0;

	if (at->rule->section == PK_SECTION_EXEC && !pattern->glob) {
		query.access = PK_ACCESS_COMMAND;
		r = sample_command(pattern->words, pattern->word_count, &sample);
		if (r == 0 && sample.key)
			(void)decide_command_key(warn->image, (const __u8 *)sample.key,
						 sample.length, &query, &result);
	} else if (pattern->glob) {
		r = sample_path(pattern->glob, &sample);
		if (r == 0 && sample.key)
			(void)decide_path_query(warn->image, sample.key, &query, &result);
	} else if (pattern->range_count) {
		(void)decide_address_query(warn->image, pattern->ranges[0].low, &query, &result);
	} else if (pattern->host) {
		winner_of_name(warn, pattern, &query, &result);
	}
	*ret_rule = result.rule;
	return r;
}

static void report(struct warn *warn, const struct warn_pattern *at,
		   const struct warn_pattern *winner)
{
	const struct policy_pattern *by = winner->pattern;
	bool stricter = winner->rule->verdict > at->rule->verdict;
	struct diag *diag = warn_add(warn, stricter ? WARN_SHADOWED : WARN_REDUNDANT, at->rule,
				     at->pattern, "'%s: %s' never decides anything: '%s: %s' does",
				     names_verdict(at->rule->verdict), at->pattern->source,
				     names_verdict(winner->rule->verdict), by->source);

	if (stricter)
		diag_hint(diag,
			  "%s:%u:%u is stricter wherever both match, and the strictest rule wins: "
			  "remove one of them, or make the stricter one narrower",
			  by->pos.file, by->pos.line, by->pos.column);
	else
		diag_hint(diag, "%s:%u:%u says it already: remove one of them", by->pos.file,
			  by->pos.line, by->pos.column);
}

/*
 * A file that is included is narrowed by what includes it and overlaps with what is included
 * beside it: that is what it is for. Only in the policy's own text, and within one file, such a
 * pattern is a slip.
 */
static bool is_slip(const struct warn *warn, const struct warn_pattern *at,
		    const struct warn_pattern *winner)
{
	return winner != at && !registries_made(at->pattern) &&
	       (at->pattern->pos.file == warn->policy->files[0] ||
		at->pattern->pos.file == winner->pattern->pos.file);
}

static int report_all(const struct dead *dead)
{
	struct warn *warn = dead->warn;
	int r = 0;

	for (__u32 i = 0; i < warn->count && r == 0; i++) {
		const struct warn_pattern *at = &warn->patterns[i];
		const struct warn_pattern *winner;
		__u32 rule;

		if (dead->decides[i] || at->rule->section == PK_SECTION_ACCEPT)
			continue;
		r = find_winner(warn, at, &rule);
		winner = r == 0 ? warn_pattern_of(warn, rule) : NULL;
		if (winner && is_slip(warn, at, winner))
			report(warn, at, winner);
	}
	return r;
}

int warn_dead(struct warn *warn)
{
	struct dead dead = {
		.warn = warn,
		.items = (const struct pk_item *)(const void *)(warn->image->bytes +
								image_head(warn->image)
									->part[PK_PART_ITEMS]
									.offset),
		.decides = calloc((size_t)warn->count + 1, sizeof(*dead.decides)),
	};
	int r = dead.decides ? walk_all(&dead) : -ENOMEM;

	/* What cannot be walked within limits is not proven: nothing is said. */
	if (r == 0)
		r = report_all(&dead);
	free(dead.decides);
	return r == -E2BIG ? 0 : r;
}
