/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each act is judged once, however often it happened: one that is decided differently is so every
 * time.
 */
#include "author/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "author/judge.h"
#include "base/mem.h"

static int compare_changes(const void *left, const void *right)
{
	const struct replay_change *a = left;
	const struct replay_change *b = right;

	if (a->after.verdict != b->after.verdict)
		return a->after.verdict < b->after.verdict ? -1 : 1;
	if (a->before.verdict != b->before.verdict)
		return a->before.verdict < b->before.verdict ? -1 : 1;
	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	if (a->access != b->access)
		return a->access < b->access ? -1 : 1;
	return strcmp(a->text, b->text);
}

/* The same object by different operations is one. */
static void join_changes(struct replay *replay)
{
	size_t kept = 0;

	qsort(replay->changes, replay->count, sizeof(*replay->changes), compare_changes);
	for (size_t i = 0; i < replay->count; i++) {
		struct replay_change *change = &replay->changes[i];

		if (kept && compare_changes(&replay->changes[kept - 1], change) == 0) {
			replay->changes[kept - 1].count += change->count;
			free(change->text);
		} else {
			replay->changes[kept++] = *change;
		}
	}
	replay->count = kept;
}

static int judge_one(struct replay *replay, const struct observation *act,
		     const struct policy_image *before, const struct policy_image *after)
{
	struct replay_change change = {
		.section = act->section,
		.access = act->access,
		.before = { act->verdict, act->reason, PK_RULE_NONE },
		.count = act->seen.count,
		.act = act,
	};

	if (!judge_act(after, act, &change.after) ||
	    (before && !judge_act(before, act, &change.before))) {
		replay->fixed += act->seen.count;
		return 0;
	}
	if (change.before.verdict == change.after.verdict) {
		replay->same += act->seen.count;
		return 0;
	}
	change.text = observation_text(act);
	if (!change.text)
		return -ENOMEM;
	replay->changes[replay->count++] = change;
	return 0;
}

int replay_run(const struct recording *recording, const struct policy_image *before,
	       const struct policy_image *after, struct replay *ret_replay)
{
	CLEAN(replay_reset) struct replay replay = { 0 };
	int r = 0;

	replay.changes = calloc(recording->count + 1, sizeof(*replay.changes));
	if (!replay.changes)
		return -ENOMEM;
	for (size_t i = 0; i < recording->count && r == 0; i++)
		r = judge_one(&replay, &recording->items[i], before, after);
	if (r)
		return r;
	join_changes(&replay);
	*ret_replay = replay;
	replay = (struct replay){ 0 };
	return 0;
}

size_t replay_count(const struct replay *replay, enum pk_verdict verdict, enum pk_section section)
{
	size_t count = 0;

	for (size_t i = 0; i < replay->count; i++)
		count += replay->changes[i].after.verdict == verdict &&
			 (section == PK_SECTION__MAX || replay->changes[i].section == section);
	return count;
}

void replay_reset(struct replay *replay)
{
	for (size_t i = 0; i < replay->count; i++)
		free(replay->changes[i].text);
	free(replay->changes);
	*replay = (struct replay){ 0 };
}
