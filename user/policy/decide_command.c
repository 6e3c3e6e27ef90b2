/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines to the matcher, in the parts that the kernel reads them in.
 */
#include <errno.h>
#include <string.h>

#include "policy/decide.h"

static const struct pk_result broken = {
	.verdict = PK_VERDICT_DENY,
	.reason = PK_REASON_IMAGE,
	.rule = PK_RULE_NONE,
};

/* A key on its way through the automaton. */
struct argv_run {
	const struct policy_image *image;
	struct pk_view view;
	__u32 state;
	size_t length; /* bytes so far */
};

static int run_bytes(struct argv_run *run, const void *bytes, size_t length)
{
	const __u8 *at = bytes;

	if (length > PK_COMMAND_MAX - run->length)
		return -E2BIG;
	run->length += length;
	for (size_t part; length; at += part, length -= part) {
		part = length > PK_PATH_MAX ? PK_PATH_MAX : length;
		if (pk_argv_run(&run->view, image_head(run->image), at, (__u32)part, &run->state))
			return -EIO;
	}
	return 0;
}

static struct argv_run start_run(const struct policy_image *image)
{
	return (struct argv_run){
		.image = image,
		.view = image_view(image),
		.state = image_head(image)->argv_start,
	};
}

/* The sets where a run ended, or the error @r that ended it. */
static int finish_run(const struct argv_run *run, int r, struct pk_sets *ret_sets)
{
	if (r)
		return r;
	if (!image_head(run->image)->argv_start || pk_argv_sets(&run->view, run->state, ret_sets))
		return -EIO;
	return 0;
}

/* The verdict of @sets, or for the error @r in place of them. */
static int judge(const struct policy_image *image, int r, const struct pk_sets *sets,
		 const struct pk_query *query, struct pk_result *ret_result)
{
	struct pk_view view = image_view(image);

	*ret_result = broken;
	if (r == -E2BIG)
		ret_result->reason = PK_REASON_COMMAND;
	if (!r)
		*ret_result = pk_judge_sets(&view, image_head(image), sets, query);
	return r;
}

int decide_command_key(const struct policy_image *image, const __u8 *key, size_t length,
		       const struct pk_query *query, struct pk_result *ret_result)
{
	struct argv_run run = start_run(image);
	struct pk_sets sets = { { 0 } };
	int r = run_bytes(&run, key, length);

	r = finish_run(&run, r, &sets);
	return judge(image, r, &sets, query, ret_result);
}

int decide_command_sets(const struct policy_image *image, const char *program, char *const *argv,
			struct pk_sets *ret_sets)
{
	struct argv_run run = start_run(image);
	int r = 0;

	if (*program != '/')
		r = run_bytes(&run, "/", 1);
	if (!r)
		r = run_bytes(&run, program, strlen(program) + 1);
	for (size_t i = 1; argv[0] && argv[i] && !r; i++)
		r = run_bytes(&run, argv[i], strlen(argv[i]) + 1);
	return finish_run(&run, r, ret_sets);
}

static int judge_words(const struct policy_image *image, const char *program, char *const *argv,
		       const struct pk_query *query, struct pk_result *ret_result)
{
	struct pk_sets sets = { { 0 } };
	int r = decide_command_sets(image, program, argv, &sets);

	return judge(image, r, &sets, query, ret_result);
}

int decide_command(const struct policy_image *image, const char *program, char *const *argv,
		   __u32 subjects, struct pk_result *ret_result)
{
	struct pk_query query = {
		.section = PK_SECTION_EXEC,
		.access = PK_ACCESS_COMMAND,
		.subjects = subjects,
	};
	struct pk_result start;
	struct pk_result command;
	struct pk_result called;
	int r;

	r = decide_exec_as(image, program, subjects, &start);
	*ret_result = start;
	if (r || start.verdict != PK_VERDICT_ALLOW || !image_head(image)->argv_start)
		return r;
	r = judge_words(image, program, argv, &query, &command);
	*ret_result = decide_stricter(&start, &command);
	if (r || command.verdict != PK_VERDICT_ALLOW || !argv[0])
		return r;
	/* A program may not call itself something that is allowed. */
	query.flags = PK_JUDGE_RULES_ONLY;
	r = judge_words(image, argv[0], argv, &query, &called);
	if (called.verdict != PK_VERDICT_ALLOW)
		*ret_result = called;
	return r;
}

int image_command_state(const struct policy_image *image, const char *path, char behind,
			__u32 *ret_state)
{
	struct argv_run run = start_run(image);
	int r = 0;

	/* The root's own path already ends in the slash. */
	if (image_head(image)->argv_start)
		r = run_bytes(&run, path, strlen(path));
	if (!r && image_head(image)->argv_start && (behind != '/' || strcmp(path, "/") != 0))
		r = run_bytes(&run, &behind, 1);
	if (!r)
		*ret_state = run.state;
	return r;
}
