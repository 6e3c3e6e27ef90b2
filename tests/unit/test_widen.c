/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving never widens: for random small policies, every pair of short directories of which the
 * automata say that all below is the same is compared name by name with the reference; and so is
 * every move of a file that the rule of bpf/widen.bpf.c lets pass. The same comparison finds
 * each of several relations that say too much. PICKET_SEED overrides the seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "builder.h"
#include "dice.h"
#include "naive.h"
#include "policy/compile.h"
#include "policy/decide.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define LAYERS 2
#define POLICIES 60

/* Directories, and names below them: all of one or two of these. */
static const char *const names[] = { "a", "b", "ab", ".env", "usr" };
#define NAMES COUNT(names)
#define SHORT (NAMES + NAMES * NAMES)

/* Who asks: a program that no rule names, and two that some name. */
static const char *const askers[] = { NULL, "/a", "/usr/b" };
#define ASKERS COUNT(askers)

/* Arguments of commands. */
static char *const lines[][4] = {
	{ "x", NULL },
	{ "x", "a", NULL },
	{ "x", "a/b", "b", NULL },
};
#define LINES COUNT(lines)

/* Rights of one asker, as bits: the nibble of files, to run, and a bit for each command line. */
#define RIGHT_RUN 16U
#define RIGHT_COMMANDS (((1U << LINES) - 1) << 5)
#define RIGHT_COMMAND_STATE (1U << 5) /* in the kernel's rule: any of them */

/* Relations that are wrong. */
enum widen_fault {
	WIDEN_RIGHT,
	WIDEN_ROOTED_ONLY, /* the floating automaton is not compared */
	WIDEN_FLOATING_ONLY, /* the other one is not */
	WIDEN_NO_COMMANDS, /* that of commands is not */
	WIDEN_HERE_ONLY, /* rights of the directory itself say it all */
	WIDEN_LINK_COPIES, /* a link is like a copy */
	WIDEN_NO_RUN, /* the right to run is forgotten */
	WIDEN_FAULT__MAX
};

struct world {
	struct policy *layers[LAYERS];
	struct policy_image image;
	enum widen_fault fault;
	char paths[SHORT + 1][64]; /* the root first */
	uint64_t allowed; /* pairs that the relation lets pass */
	uint64_t wider; /* of them wrongly */
};

static uint32_t naive_rights(const struct naive *naive, const char *path)
{
	uint32_t rights = 0;

	for (uint32_t bit = 0; bit < 4; bit++)
		if (naive_path(naive, PK_SECTION_FILES, (__u8)(1U << bit), path).verdict ==
		    PK_VERDICT_ALLOW)
			rights |= 1U << bit;
	if (naive_path(naive, PK_SECTION_EXEC, PK_ACCESS_RUN, path).verdict == PK_VERDICT_ALLOW)
		rights |= RIGHT_RUN;
	for (size_t i = 0; i < LINES; i++)
		if (naive_command(naive, path, lines[i]).verdict == PK_VERDICT_ALLOW)
			rights |= 1U << (5 + i);
	return rights;
}

static struct naive naive_of(const struct world *w, const char *by)
{
	return (struct naive){ (const struct policy *const *)w->layers, LAYERS, NAIVE_RIGHT, by };
}

/* The rules with `by` that are for the program at @path: a bit for each. */
static uint64_t naive_subjects(const struct world *w, const char *path)
{
	uint64_t mask = 0;
	size_t number = 0;

	for (size_t l = 0; l < LAYERS; l++) {
		for (size_t i = 0; i < w->layers[l]->rule_count; i++, number++) {
			const struct policy_rule *rule = &w->layers[l]->rules[i];

			for (size_t j = 0; j < rule->by_count; j++)
				if (naive_glob(rule->by[j], path, NAIVE_RIGHT))
					mask |= 1ULL << number;
		}
	}
	return mask;
}

/* All that the reference says about a path. */
struct truth {
	uint32_t rights[ASKERS];
	uint64_t subjects;
};

static struct truth truth_of(const struct world *w, const char *path)
{
	struct truth truth = { .subjects = naive_subjects(w, path) };

	for (size_t i = 0; i < ASKERS; i++) {
		struct naive naive = naive_of(w, askers[i]);

		truth.rights[i] = naive_rights(&naive, path);
	}
	return truth;
}

static void fill_paths(struct world *w)
{
	size_t count = 0;

	(void)snprintf(w->paths[count++], sizeof(w->paths[0]), "/");
	for (size_t i = 0; i < NAMES; i++) {
		(void)snprintf(w->paths[count++], sizeof(w->paths[0]), "/%s", names[i]);
		for (size_t j = 0; j < NAMES; j++)
			(void)snprintf(w->paths[count++], sizeof(w->paths[0]), "/%s/%s", names[i],
				       names[j]);
	}
}

/* As the kernel asks: by the image, for one asker. */
static uint32_t image_rights(const struct world *w, const char *path, const char *by)
{
	struct pk_query query = { 0 };
	struct pk_result result;
	uint32_t rights = 0;

	if (by)
		assert_int_equal(decide_subjects(&w->image, by, &query.subjects), 0);
	for (uint32_t bit = 0; bit < 5; bit++) {
		query.section = bit == 4 ? PK_SECTION_EXEC : PK_SECTION_FILES;
		query.access = bit == 4 ? PK_ACCESS_RUN : 1U << bit;
		assert_int_equal(decide_path_query(&w->image, path, &query, &result), 0);
		if (result.verdict == PK_VERDICT_ALLOW && !(bit == 4 && w->fault == WIDEN_NO_RUN))
			rights |= 1U << bit;
	}
	return rights;
}

static bool same_below(const struct world *w, const char *a, const char *b)
{
	struct pk_states states[2];

	if (w->fault == WIDEN_RIGHT || w->fault > WIDEN_HERE_ONLY)
		return image_same_below(&w->image, a, b);
	if (w->fault == WIDEN_HERE_ONLY)
		return image_rights(w, a, NULL) == image_rights(w, b, NULL);
	if (w->fault != WIDEN_NO_COMMANDS) {
		__u32 commands[2];

		assert_int_equal(image_command_state(&w->image, a, '/', &commands[0]), 0);
		assert_int_equal(image_command_state(&w->image, b, '/', &commands[1]), 0);
		if (commands[0] != commands[1])
			return false;
	}
	for (int i = 0; i < 2; i++) {
		const char *path = i ? b : a;
		char text[72];

		(void)snprintf(text, sizeof(text), "%s%s", path, path[1] ? "/" : "");
		assert_int_equal(image_path_states(&w->image, text, &states[i]), 0);
	}
	return (w->fault == WIDEN_FLOATING_ONLY || states[0].at[0] == states[1].at[0]) &&
	       (w->fault == WIDEN_ROOTED_ONLY || states[0].at[1] == states[1].at[1]);
}

/* Every short name below both directories. */
static bool widens_below(const struct world *w, const char *from, const char *to)
{
	char path[2][160];

	for (size_t i = 1; i < SHORT + 1; i++) {
		struct truth truth[2];

		(void)snprintf(path[0], sizeof(path[0]), "%s%s", from[1] ? from : "", w->paths[i]);
		(void)snprintf(path[1], sizeof(path[1]), "%s%s", to[1] ? to : "", w->paths[i]);
		truth[0] = truth_of(w, path[0]);
		truth[1] = truth_of(w, path[1]);
		for (size_t a = 0; a < ASKERS; a++)
			if (truth[1].rights[a] & ~truth[0].rights[a])
				return true;
		if (truth[1].subjects != truth[0].subjects)
			return true;
	}
	return false;
}

static void try_directories(struct world *w, struct dice *dice)
{
	for (int i = 0; i < 60; i++) {
		const char *from = w->paths[dice_roll(dice, SHORT + 1)];
		const char *to = w->paths[dice_roll(dice, SHORT + 1)];

		if (from == to || !same_below(w, from, to))
			continue;
		w->allowed++;
		w->wider += widens_below(w, from, to);
	}
}

/* A move of a file, as pk_widens() has it. */
struct move {
	const char *from;
	const char *to;
	const char *by;
	bool rename; /* or a link */
	bool set_id;
};

/* The rule of bpf/widen.bpf.c for regular files. */
static bool rule_widens(const struct world *w, const struct move *move)
{
	uint32_t from = image_rights(w, move->from, move->by);
	uint32_t to = image_rights(w, move->to, move->by);
	uint32_t gained = to & ~from;
	__u32 commands[2];

	assert_int_equal(image_command_state(&w->image, move->from, '\0', &commands[0]), 0);
	assert_int_equal(image_command_state(&w->image, move->to, '\0', &commands[1]), 0);
	if (commands[0] != commands[1] && w->fault != WIDEN_NO_COMMANDS)
		gained |= RIGHT_COMMAND_STATE;
	if (!gained)
		return false;
	if ((!move->rename && w->fault != WIDEN_LINK_COPIES) || !(from & PK_ACCESS_READ))
		return true;
	return move->set_id && (gained & (PK_ACCESS_EXEC | RIGHT_RUN | RIGHT_COMMAND_STATE));
}

/* Rights that the new name gives: they must be none, or what a copy has as well. */
static bool move_widens(const struct world *w, const struct move *move)
{
	struct naive naive = naive_of(w, move->by);
	uint32_t from = naive_rights(&naive, move->from);
	uint32_t gained = naive_rights(&naive, move->to) & ~from;

	if (!gained)
		return false;
	if (!move->rename || !(from & PK_ACCESS_READ))
		return true;
	return move->set_id && (gained & (PK_ACCESS_EXEC | RIGHT_RUN | RIGHT_COMMANDS));
}

static void try_files(struct world *w, struct dice *dice)
{
	for (int i = 0; i < 200; i++) {
		const struct move move = {
			.from = w->paths[1 + dice_roll(dice, SHORT)],
			.to = w->paths[1 + dice_roll(dice, SHORT)],
			.by = askers[dice_roll(dice, ASKERS)],
			.rename = dice_roll(dice, 2),
			.set_id = dice_roll(dice, 2),
		};

		if (rule_widens(w, &move))
			continue;
		w->allowed++;
		w->wider += move_widens(w, &move);
	}
}

/* Policies of @seed until something is wider, or @policies of them. */
static void explore(struct world *w, uint64_t seed, size_t policies,
		    void (*attempt)(struct world *w, struct dice *dice))
{
	struct dice dice = { .state = seed };

	fill_paths(w);
	for (size_t i = 0; i < policies && !w->wider; i++) {
		for (size_t l = 0; l < LAYERS; l++)
			w->layers[l] = dice_policy(&dice);
		w->image = build_image(w->layers, LAYERS);
		attempt(w, &dice);
		image_reset(&w->image);
		for (size_t l = 0; l < LAYERS; l++)
			policy_free(&w->layers[l]);
	}
}

static uint64_t seed_of_run(void)
{
	const char *text = getenv("PICKET_SEED");

	return text ? strtoul(text, NULL, 0) : 20261121;
}

static void directories_never_widen(void **state)
{
	struct world w = { .fault = WIDEN_RIGHT };

	(void)state;
	explore(&w, seed_of_run(), POLICIES, try_directories);
	printf("# %llu pairs of directories are the same below\n", (unsigned long long)w.allowed);
	assert_int_equal(w.wider, 0);
	assert_true(w.allowed > POLICIES);
}

static void files_never_widen(void **state)
{
	struct world w = { .fault = WIDEN_RIGHT };

	(void)state;
	explore(&w, seed_of_run(), 4 * POLICIES, try_files);
	printf("# %llu moves of files\n", (unsigned long long)w.allowed);
	assert_int_equal(w.wider, 0);
	assert_true(w.allowed > POLICIES);
}

static void finds_wrong_relations(void **state)
{
	(void)state;
	for (enum widen_fault fault = WIDEN_RIGHT + 1; fault < WIDEN_FAULT__MAX; fault++) {
		bool files = fault >= WIDEN_LINK_COPIES;
		struct world w = { .fault = fault };

		explore(&w, 11, 40 * POLICIES, files ? try_files : try_directories);
		printf("# relation %d is wrong after %llu pairs\n", fault,
		       (unsigned long long)w.allowed);
		assert_int_not_equal(w.wider, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directories_never_widen),
		cmocka_unit_test(files_never_widen),
		cmocka_unit_test(finds_wrong_relations),
	};

	return cmocka_run_group_tests_name("widen", tests, NULL, NULL);
}
