/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines: the program's path through all three automata, then its words through that of commands
 * alone, while what was decided about the path stands still.
 */
#include <errno.h>
#include <string.h>

#include "author/diff_work.h"
#include "base/mem.h"

enum { KIND_SLASH, KIND_DOT, KIND_OTHER, KIND_END };
#define EXEC_SECTIONS (1U << PK_SECTION_FILES | 1U << PK_SECTION_EXEC)

static __u8 word_kind(__u8 byte)
{
	return byte == '\0' ? KIND_END :
	       byte == '/'  ? KIND_SLASH :
	       byte == '.'  ? KIND_DOT :
			      KIND_OTHER;
}

/* Places 0 to 5 as of paths; 6 a word has ended, 7 in a word. `empty`: words may be. */
#define COMMAND_SYNTAX(empty)                                                                      \
	{                                                                                          \
		.kind = word_kind,                                                                 \
		.next = { { 1, DIFF_NOWHERE, DIFF_NOWHERE, DIFF_NOWHERE },                         \
			  { DIFF_NOWHERE, 3, 5, DIFF_NOWHERE },                                    \
			  { DIFF_NOWHERE, 3, 5, DIFF_NOWHERE },                                    \
			  { DIFF_NOWHERE, 4, 5, DIFF_NOWHERE },                                    \
			  { DIFF_NOWHERE, 5, 5, DIFF_NOWHERE },                                    \
			  { 2, 5, 5, 6 },                                                          \
			  { 7, 7, 7, (empty) ? 6 : DIFF_NOWHERE },                                 \
			  { 7, 7, 7, 6 } },                                                        \
		.accepts = { [6] = true }, .frozen = { [6] = true, [7] = true },                   \
		.longest = PK_PATH_MAX - 1,                                                        \
	}

/* Examples without empty words are easier to read; with them nothing is missed. */
static const struct diff_syntax syntaxes[] = { COMMAND_SYNTAX(false), COMMAND_SYNTAX(true) };

struct comparing {
	struct diff_work *work;
	struct diff_labels labels; /* of all three */
	struct automaton pairs[DIFF_MACHINES]; /* commands first */
	struct diff_bytes bytes;
};

static void reset_comparing(struct comparing *c)
{
	diff_labels_reset(&c->labels);
	for (size_t i = 0; i < DIFF_MACHINES; i++)
		automaton_reset(&c->pairs[i]);
}

static struct diff_machine command_machine(const struct diff_work *work, size_t side)
{
	const struct pk_image *head = image_head(work->images[side]);

	return (struct diff_machine){ work->images[side], head->argv_start, head->argv_class };
}

static int build(struct comparing *c)
{
	const struct diff_machine machines[DIFF_MACHINES][DIFF_SIDES] = {
		{ command_machine(c->work, 0), command_machine(c->work, 1) },
		{ diff_path_machine(c->work, 0, 0), diff_path_machine(c->work, 1, 0) },
		{ diff_path_machine(c->work, 0, 1), diff_path_machine(c->work, 1, 1) },
	};
	int r = 0;

	diff_bytes_make(&c->bytes, machines[0], DIFF_MACHINES * DIFF_SIDES, &syntaxes[0]);
	for (size_t i = 0; i < DIFF_MACHINES && !r; i++)
		r = diff_pair_build(machines[i], &c->bytes, &c->labels, &c->pairs[i]);
	return r;
}

/* The words of a key, each with a NUL behind it, as argv; the first is the program. */
static int split(const __u8 *key, size_t length, char ***ret_argv)
{
	size_t count = 0;

	for (size_t at = 0; at < length; at += strlen((const char *)key + at) + 1)
		count++;
	*ret_argv = calloc(count + 1, sizeof(**ret_argv));
	if (!*ret_argv)
		return -ENOMEM;
	count = 0;
	for (size_t at = 0; at < length; at += strlen((const char *)key + at) + 1)
		(*ret_argv)[count++] = (char *)key + at;
	return 0;
}

/* What the labels say of both sides about starting the program, and about its command line. */
static bool differs(const struct comparing *c, const struct diff_asker *asker, const __u32 *labels)
{
	__u32 verdicts[DIFF_SIDES];

	for (size_t i = 0; i < DIFF_SIDES; i++) {
		const struct diff_label *all = c->labels.labels;
		const struct pk_sets path = { { all[labels[1]].set[i], all[labels[2]].set[i] } };
		const struct pk_sets words = { { all[labels[0]].set[i], 0 } };
		struct pk_query query = { PK_SECTION_FILES, PK_ACCESS_EXEC, 0, asker->subjects[i],
					  0 };
		struct pk_result file = diff_judge(c->work, i, &path, &query);
		struct pk_result result;

		query.section = PK_SECTION_EXEC;
		query.access = PK_ACCESS_RUN;
		result = diff_judge(c->work, i, &path, &query);
		result = decide_stricter(&file, &result);
		query.access = PK_ACCESS_COMMAND;
		/* What is asked about at the start is not looked at again before somebody answers. */
		if (result.verdict == PK_VERDICT_ALLOW &&
		    image_head(c->work->images[i])->argv_start) {
			struct pk_result command = diff_judge(c->work, i, &words, &query);

			result = decide_stricter(&result, &command);
		}
		verdicts[i] = result.verdict;
	}
	return verdicts[0] != verdicts[1];
}

static int add(struct comparing *c, const struct diff_asker *asker, char **argv)
{
	struct diff_change change = {
		.act = DIFF_RUN,
		.key = argv[0],
		.length = strlen(argv[0]),
		.argv = argv,
	};
	struct pk_result starts[DIFF_SIDES], results[DIFF_SIDES];

	for (size_t i = 0; i < DIFF_SIDES; i++) {
		const struct policy_image *image = c->work->images[i];

		if (decide_exec_as(image, argv[0], asker->subjects[i], &starts[i]) ||
		    decide_command(image, argv[0], argv, asker->subjects[i], &results[i]))
			return -EIO;
	}
	if (results[0].verdict == results[1].verdict)
		return -EIO;
	/* What is so for the program whatever its words are has been told. */
	if (starts[0].verdict == results[0].verdict && starts[1].verdict == results[1].verdict)
		return 0;
	change.before = results[0];
	change.after = results[1];
	return diff_add(c->work, &change, asker);
}

static int visit_command(void *context, const __u32 *labels, const __u8 *key, size_t length)
{
	struct comparing *c = context;
	CLEAN_FREE char **argv = NULL;
	int r = 0;

	c->work->burst = c->work->diff->count;
	for (size_t i = 0; i < c->work->asker_count && !r; i++) {
		if (!differs(c, &c->work->askers[i], labels))
			continue;
		if (!argv)
			r = split(key, length, &argv);
		if (!r)
			r = add(c, &c->work->askers[i], argv);
	}
	return r;
}

/* One walk: the pair @changes only by its changes, or (DIFF_MACHINES) all as a whole. */
static int walk_once(struct comparing *c, size_t changes, const struct diff_syntax *syntax)
{
	struct automaton small[DIFF_MACHINES] = { 0 };
	struct diff_walk walk = {
		.count = DIFF_MACHINES,
		.bytes = &c->bytes,
		.syntax = syntax,
		.visit = visit_command,
		.context = c,
		.most = diff_most_states(c->work),
	};
	int r = 0;

	for (size_t i = 0; i < DIFF_MACHINES && !r; i++) {
		r = diff_pair_minimise(&c->pairs[i], &c->labels, i == changes, &small[i]);
		walk.pairs[i] = &small[i];
	}
	if (!r)
		r = diff_walk(&walk);
	for (size_t i = 0; i < DIFF_MACHINES; i++)
		automaton_reset(&small[i]);
	return r;
}

int diff_commands(struct diff_work *work)
{
	CLEAN(reset_comparing)
	struct comparing c = { .work = work, .labels = diff_labels_make(work, EXEC_SECTIONS) };
	bool looked[DIFF_SIDES];
	bool whole;
	int r;

	for (size_t i = 0; i < DIFF_SIDES; i++)
		looked[i] = image_head(work->images[i])->argv_start;
	if (!looked[0] && !looked[1])
		return 0;
	r = build(&c);
	/* Where one side does not look at commands, its empty set is no verdict of the other's. */
	whole = looked[0] != looked[1] || !diff_defaults_same(work, EXEC_SECTIONS);
	for (size_t s = 0; s < 2 && !r; s++) {
		if (whole) {
			r = walk_once(&c, DIFF_MACHINES, &syntaxes[s]);
			continue;
		}
		for (size_t i = 0; i < DIFF_MACHINES && !r; i++)
			if (diff_pair_differs(&c.pairs[i], &c.labels))
				r = walk_once(&c, i, &syntaxes[s]);
	}
	return r;
}
