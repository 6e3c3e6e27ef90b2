/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that is judged by a path: who asks, files, programs, abstract sockets.
 *
 * A path is looked at by two automata at once. Where the defaults are the same, a verdict can only differ
 * where the label of one of them does: it is enough to follow what changed in one, reduced to its changes,
 * through the whole other, and the other way round. Otherwise all combinations are walked.
 */
#include <errno.h>
#include <string.h>

#include "author/diff_work.h"
#include "base/mem.h"

enum { KIND_SLASH, KIND_DOT, KIND_OTHER };

static __u8 path_kind(__u8 byte)
{
	return byte == '\0' ? DIFF_NOWHERE :
	       byte == '/'  ? KIND_SLASH :
	       byte == '.'  ? KIND_DOT :
			      KIND_OTHER;
}

/* Places: 0 nothing, 1 "/", 2 behind a slash, 3 ".", 4 "..", 5 in a name. */
const struct diff_syntax diff_path_syntax = {
	.kind = path_kind,
	.next = { { 1, DIFF_NOWHERE, DIFF_NOWHERE },
		  { DIFF_NOWHERE, 3, 5 },
		  { DIFF_NOWHERE, 3, 5 },
		  { DIFF_NOWHERE, 4, 5 },
		  { DIFF_NOWHERE, 5, 5 },
		  { 2, 5, 5 } },
	.accepts = { [1] = true, [5] = true },
	.longest = PK_PATH_MAX - 1,
};

/* A slash, and any name that is not empty. */
static const struct diff_syntax abstract_syntax = {
	.kind = path_kind,
	.next = { { 1, DIFF_NOWHERE, DIFF_NOWHERE }, { 2, 2, 2 }, { 2, 2, 2 } },
	.accepts = { [2] = true },
	.longest = 108, /* what a socket's address has room for */
};

static void reset_pair(struct diff_paths_pair *pair)
{
	diff_labels_reset(&pair->labels);
	for (size_t i = 0; i < PK_AUTOMATA; i++)
		automaton_reset(&pair->pairs[i]);
}

static void make_bytes(const struct diff_work *work, const struct diff_syntax *syntax,
		       struct diff_bytes *bytes)
{
	const struct diff_machine machines[] = {
		diff_path_machine(work, 0, 0),
		diff_path_machine(work, 1, 0),
	};

	/* The automata of a side have their classes in common. */
	diff_bytes_make(bytes, machines, DIFF_SIDES, syntax);
}

static int build(const struct diff_work *work, const struct diff_bytes *bytes,
		 struct diff_paths_pair *pair)
{
	int r = 0;

	for (size_t i = 0; i < PK_AUTOMATA && !r; i++) {
		const struct diff_machine machines[] = {
			diff_path_machine(work, 0, i),
			diff_path_machine(work, 1, i),
		};

		r = diff_pair_build(machines, bytes, &pair->labels, &pair->pairs[i]);
	}
	return r;
}

/* One walk: pair 0 or 1 only by its changes, or (PK_AUTOMATA) both as a whole. */
static int walk_once(const struct diff_paths_pair *pair, struct diff_walk *walk, size_t changes)
{
	struct automaton small[PK_AUTOMATA] = { 0 };
	int r = 0;

	for (size_t i = 0; i < PK_AUTOMATA && !r; i++)
		r = diff_pair_minimise(&pair->pairs[i], &pair->labels, i == changes, &small[i]);
	for (size_t i = 0; i < PK_AUTOMATA; i++)
		walk->pairs[i] = &small[i];
	walk->count = PK_AUTOMATA;
	if (!r)
		r = diff_walk(walk);
	for (size_t i = 0; i < PK_AUTOMATA; i++) {
		walk->pairs[i] = NULL;
		automaton_reset(&small[i]);
	}
	return r;
}

/* The labels of a walk and what is done with them. */
struct visiting {
	struct diff_work *work;
	const struct diff_labels *labels;
};

static int walk_all(struct diff_work *work, const struct diff_paths_pair *pair,
		    struct diff_walk *walk)
{
	int r = 0;

	if (!diff_defaults_same(work, pair->labels.sections))
		return walk_once(pair, walk, PK_AUTOMATA);
	for (size_t i = 0; i < PK_AUTOMATA && !r; i++)
		if (diff_pair_differs(&pair->pairs[i], &pair->labels))
			r = walk_once(pair, walk, i);
	return r;
}

/* The sets of a side that two labels stand for. */
static struct pk_sets sets_of(const struct diff_labels *labels, size_t side, const __u32 *label)
{
	return (struct pk_sets){ { labels->labels[label[0]].set[side],
				   labels->labels[label[1]].set[side] } };
}

static int compare_section(struct visiting *v, const struct diff_asker *asker, const __u32 *label,
			   struct diff_change *change, __u32 section)
{
	struct pk_query query = { .section = section, .access = change->access };
	struct pk_result results[DIFF_SIDES];
	char path[PK_PATH_MAX + 1] = "";

	for (size_t i = 0; i < DIFF_SIDES; i++) {
		const struct pk_sets sets = sets_of(v->labels, i, label);

		query.subjects = asker->subjects[i];
		results[i] = diff_judge(v->work, i, &sets, &query);
	}
	if (results[0].verdict == results[1].verdict)
		return 0;
	/* The rules of this very path, and the proof that the labels told the truth. */
	memcpy(path, change->key, change->length);
	for (size_t i = 0; i < DIFF_SIDES; i++) {
		const __u32 said = results[i].verdict;

		query.subjects = asker->subjects[i];
		if (decide_path_query(v->work->images[i], path, &query, &results[i]) ||
		    results[i].verdict != said)
			return -EIO;
	}
	change->before = results[0];
	change->after = results[1];
	return diff_add(v->work, change, asker);
}

/* Starting a program is told where it is not the files section alone that changes it. */
static int compare_exec(struct visiting *v, const struct diff_asker *asker,
			struct diff_change *change)
{
	const struct pk_query file = { PK_SECTION_FILES, PK_ACCESS_EXEC, 0, 0, 0 };
	struct pk_result both[DIFF_SIDES], alone;
	char path[PK_PATH_MAX + 1] = "";
	bool files = true;

	memcpy(path, change->key, change->length);
	for (size_t i = 0; i < DIFF_SIDES; i++) {
		struct pk_query query = file;

		query.subjects = asker->subjects[i];
		if (decide_exec_as(v->work->images[i], path, asker->subjects[i], &both[i]) ||
		    decide_path_query(v->work->images[i], path, &query, &alone))
			return -EIO;
		files = files && alone.verdict == both[i].verdict;
	}
	if (both[0].verdict == both[1].verdict || files)
		return 0;
	change->before = both[0];
	change->after = both[1];
	change->access = 0;
	return diff_add(v->work, change, asker);
}

static int visit_path(void *context, const __u32 *labels, const __u8 *key, size_t length)
{
	struct visiting *v = context;
	int r = 0;

	v->work->burst = v->work->diff->count;
	for (size_t i = 0; i < v->work->asker_count && !r; i++) {
		struct diff_change change = { .key = (char *)key, .length = length };

		change.act = DIFF_OPEN;
		for (__u32 bit = 1; bit <= PK_ACCESS_CONNECT && !r; bit <<= 1) {
			change.access = (__u8)bit;
			r = compare_section(v, &v->work->askers[i], labels, &change,
					    PK_SECTION_FILES);
		}
		change.act = DIFF_EXEC;
		if (!r)
			r = compare_exec(v, &v->work->askers[i], &change);
	}
	return r;
}

static int visit_abstract(void *context, const __u32 *labels, const __u8 *key, size_t length)
{
	struct visiting *v = context;
	int r = 0;

	v->work->burst = v->work->diff->count;
	for (size_t i = 0; i < v->work->asker_count && !r; i++) {
		struct diff_change change = {
			.act = DIFF_UNIX,
			.access = PK_ACCESS_ABSTRACT,
			.key = (char *)key,
			.length = length,
		};

		r = compare_section(v, &v->work->askers[i], labels, &change, PK_SECTION_UNIX);
	}
	return r;
}

static int compare_keys(struct diff_work *work, __u32 sections, const struct diff_syntax *syntax,
			int (*visit)(void *, const __u32 *, const __u8 *, size_t))
{
	CLEAN(reset_pair)
	struct diff_paths_pair pair = { .labels = diff_labels_make(work, sections) };
	struct visiting visiting = { work, &pair.labels };
	struct diff_bytes bytes;
	struct diff_walk walk = {
		.bytes = &bytes,
		.syntax = syntax,
		.visit = visit,
		.context = &visiting,
		.most = diff_most_states(work),
	};
	int r;

	make_bytes(work, syntax, &bytes);
	r = build(work, &bytes, &pair);
	return r ? r : walk_all(work, &pair, &walk);
}

int diff_files(struct diff_work *work)
{
	return compare_keys(work, 1U << PK_SECTION_FILES | 1U << PK_SECTION_EXEC, &diff_path_syntax,
			    visit_path);
}

int diff_abstract(struct diff_work *work)
{
	return compare_keys(work, 1U << PK_SECTION_UNIX, &abstract_syntax, visit_abstract);
}

static int visit_program(void *context, const __u32 *labels, const __u8 *key, size_t length)
{
	const struct visiting *v = context;
	struct diff_work *work = v->work;
	struct diff_asker asker = { .by = NULL };
	int r;

	for (size_t i = 0; i < DIFF_SIDES; i++) {
		struct pk_view view = image_view(work->images[i]);
		const struct pk_sets sets = sets_of(v->labels, i, labels);

		asker.subjects[i] = pk_subjects(&view, image_head(work->images[i]), &sets);
	}
	for (size_t i = 0; i < work->asker_count; i++)
		if (memcmp(work->askers[i].subjects, asker.subjects, sizeof(asker.subjects)) == 0)
			return 0;
	r = grow(&work->askers, &work->asker_room, work->asker_count + 1, sizeof(asker));
	if (r)
		return r;
	asker.by = strndup((const char *)key, length);
	if (!asker.by)
		return -ENOMEM;
	work->askers[work->asker_count++] = asker;
	return 0;
}

/* Two bits are one when every program has both or neither. */
static void pair_subjects(struct diff_work *work)
{
	for (unsigned int j = 0; j < PK_SUBJECTS_MAX; j++) {
		work->subjects[0][j] = 1ULL << j;
		work->subjects[1][j] = 1ULL << (j + 32);
		for (unsigned int i = 0; i < PK_SUBJECTS_MAX; i++) {
			bool together = true;

			for (size_t k = 0; k < work->asker_count && together; k++)
				together = (work->askers[k].subjects[0] >> i & 1) ==
					   (work->askers[k].subjects[1] >> j & 1);
			if (together)
				work->subjects[1][j] = 1ULL << i;
		}
	}
}

int diff_find_askers(struct diff_work *work)
{
	CLEAN(reset_pair)
	struct diff_paths_pair pair = { .labels =
						diff_labels_make(work, 1U << PK_SECTION_SUBJECT) };
	struct visiting visiting = { work, &pair.labels };
	struct diff_bytes bytes;
	struct diff_walk walk = { .bytes = &bytes,
				  .syntax = &diff_path_syntax,
				  .visit = visit_program,
				  .context = &visiting,
				  .most = diff_most_states(work) };
	int r = grow(&work->askers, &work->asker_room, 1, sizeof(*work->askers));

	if (r)
		return r;
	if (!work->asker_count)
		work->askers[work->asker_count++] = (struct diff_asker){ 0 };
	if (!image_head(work->images[0])->subjects && !image_head(work->images[1])->subjects)
		return 0;
	/* Until they are known, no bit of one side is one of the other. */
	for (unsigned int j = 0; j < PK_SUBJECTS_MAX; j++) {
		work->subjects[0][j] = 1ULL << j;
		work->subjects[1][j] = 1ULL << (j + 32);
	}
	make_bytes(work, &diff_path_syntax, &bytes);
	r = build(work, &bytes, &pair);
	if (!r)
		r = walk_once(&pair, &walk, PK_AUTOMATA);
	pair_subjects(work);
	return r;
}
