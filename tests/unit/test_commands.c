/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands by example: which command lines a pattern of words means, in which order the two stages
 * of an execution are asked, and what a program's own name can do.
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
#include "policy/compile.h"
#include "policy/decide.h"

#define ARGS_MAX 16

/* A command line as the kernel has it: "|" between the words, the first one is argv[0]. */
struct line {
	char text[256];
	char *argv[ARGS_MAX + 1];
};

static void split(struct line *line, const char *text)
{
	size_t count = 0;
	char *at = line->text;

	(void)snprintf(line->text, sizeof(line->text), "%s", text);
	while (at && count < ARGS_MAX) {
		line->argv[count++] = at;
		at = strchr(at, '|');
		if (at)
			*at++ = '\0';
	}
	line->argv[count] = NULL;
}

static enum pk_verdict verdict_of(const struct policy_image *image, const char *program,
				  const char *text, __u32 *ret_rule)
{
	struct pk_result result;
	struct line line = { 0 };

	split(&line, text);
	assert_int_equal(decide_command(image, program, line.argv, 0, &result), 0);
	if (ret_rule)
		*ret_rule = result.rule;
	return result.verdict;
}

static const struct {
	const char *pattern; /* denied */
	const char *program;
	const char *argv;
	bool matches;
} cases[] = {
	{ "git push", "/usr/bin/git", "git|push", true },
	{ "git push", "/usr/bin/git", "git|push|origin|main", true },
	{ "git push", "/usr/bin/git", "git|pushx", false },
	{ "git push", "/usr/bin/git", "git|pus", false },
	{ "git push", "/usr/bin/git", "git", false },
	{ "git push", "/usr/bin/git", "git|-v|push", false },
	{ "git push", "/usr/bin/git", "git||push", false },
	{ "git push", "/usr/bin/legit", "git2|push", false },
	{ "git push", "/git", "anything|push", true },
	{ "git push", "/opt/a/git", "x|push", true },
	{ "git push", "/opt/git/a", "x|push", false },
	/* By its own name, with a path or without. */
	{ "git push", "/opt/a", "git|push", true },
	{ "git push", "/opt/a", "/x/git|push", true },
	{ "git push", "/opt/a", "./git|push", true },
	{ "git push", "/opt/a", "xgit|push", false },
	{ "sudo", "/bin/busybox", "sudo|id", true },
	{ "sudo", "/bin/busybox", "sudo", true },
	{ "sudo", "/bin/busybox", "busybox|sudo", false },
	{ "sudo", "/usr/bin/sudo", "x", true },
	{ "{sudo,su}", "/bin/busybox", "su", true },
	/* A full path is not a name. */
	{ "/usr/bin/git push", "/usr/bin/git", "x|push", true },
	{ "/usr/bin/git push", "/opt/git", "git|push", false },
	{ "/usr/bin/git push", "/opt/git", "/usr/bin/git|push", true },
	{ "/usr/bin/** push", "/usr/bin/git", "x|push", true },
	{ "/usr/bin/** push", "/usr/bin/a/git", "x|push", true },
	{ "/usr/bin/** push", "/usr/bin", "x|push", true },
	{ "/usr/bin/* push", "/usr/bin/a/git", "x|push", false },
	{ "/opt/**/git push", "/opt/git", "x|push", true },
	{ "/opt/**/git push", "/opt/a/b/git", "x|push", true },
	/* A word's stars match '/' too, and never the end of a word. */
	{ "rm -rf *", "/bin/rm", "rm|-rf|/", true },
	{ "rm -rf *", "/bin/rm", "rm|-rf|/a/b", true },
	{ "rm -rf *", "/bin/rm", "rm|-rf|", true },
	{ "rm -rf *", "/bin/rm", "rm|-rf", false },
	{ "rm -* /", "/bin/rm", "rm|-rf|/", true },
	{ "rm -* /", "/bin/rm", "rm|-r|-f|/", false },
	{ "rm ? x", "/bin/rm", "rm|/|x", true },
	{ "rm ? x", "/bin/rm", "rm||x", false },
	{ "rm ? x", "/bin/rm", "rm|ab|x", false },
	{ "rm [!a] x", "/bin/rm", "rm|/|x", true },
	{ "rm [!a] x", "/bin/rm", "rm|a|x", false },
	{ "rm [!a] x", "/bin/rm", "rm||x", false },
	{ "rm [a/] x", "/bin/rm", "rm|/|x", true },
	{ "rm a*b*c", "/bin/rm", "rm|a/b/bc", true },
	{ "rm a*b*c", "/bin/rm", "rm|a/b|c", false },
	/* Braces. */
	{ "gh pr {create,merge}", "/usr/bin/gh", "gh|pr|merge|1", true },
	{ "gh pr {create,merge}", "/usr/bin/gh", "gh|pr|list", false },
	{ "{git,hg} {push,out{,going}}", "/usr/bin/hg", "hg|outgoing", true },
	{ "{git,hg} {push,out{,going}}", "/usr/bin/hg", "hg|outgo", false },
	/* Any words. */
	{ "git ... --force", "/usr/bin/git", "git|--force", true },
	{ "git ... --force", "/usr/bin/git", "git|push|--force", true },
	{ "git ... --force", "/usr/bin/git", "git|a|b|c|--force|d", true },
	{ "git ... --force", "/usr/bin/git", "git|a|b|--forced", false },
	{ "git ... --force", "/usr/bin/git", "git|a|x--force", false },
	{ "git ... --force", "/usr/bin/git", "git||--force", true },
	{ "git push ... -f ... x", "/usr/bin/git", "git|push|a|-f|b|x", true },
	{ "git push ... -f ... x", "/usr/bin/git", "git|push|-f|x", true },
	{ "git push ... -f ... x", "/usr/bin/git", "git|push|x|-f", false },
	{ "git push ...", "/usr/bin/git", "git|push", true },
	{ "git ... ... push ... ...", "/usr/bin/git", "git|push", true },
	{ "git ... ... push ... ...", "/usr/bin/git", "git|a|push|b", true },
	{ "git ...", "/usr/bin/git", "git", true },
	/* Escapes. */
	{ "git \\* x", "/usr/bin/git", "git|*|x", true },
	{ "git \\* x", "/usr/bin/git", "git|a|x", false },
};

static void matches_by_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *policy = build_policy("p");
		struct policy_image image;
		enum pk_verdict verdict;

		build_section(policy, PK_SECTION_EXEC, PK_VERDICT_ALLOW);
		build_rule(policy, PK_SECTION_EXEC, PK_VERDICT_DENY, PK_ACCESS_RUN);
		build_command(policy, cases[i].pattern);
		image = build_image(&policy, 1);
		verdict = verdict_of(&image, cases[i].program, cases[i].argv, NULL);
		if (verdict != (cases[i].matches ? PK_VERDICT_DENY : PK_VERDICT_ALLOW))
			fail_msg("'%s' and %s %s: %d", cases[i].pattern, cases[i].program,
				 cases[i].argv, verdict);
		image_reset(&image);
		policy_free(&policy);
	}
}

/* default: deny. A program may start for some of its arguments, and is judged again by them. */
static void allows_some_arguments(void **state)
{
	struct policy *policy = build_policy("p");
	struct policy_image image;
	struct pk_result result;
	__u32 rule;

	(void)state;
	build_section(policy, PK_SECTION_EXEC, PK_VERDICT_DENY);
	build_rule(policy, PK_SECTION_EXEC, PK_VERDICT_ALLOW, PK_ACCESS_RUN);
	build_command(policy, "/usr/bin/git {status,log}");
	build_command(policy, "/bin/sh");
	build_rule(policy, PK_SECTION_EXEC, PK_VERDICT_DENY, PK_ACCESS_RUN);
	build_command(policy, "git log -p");
	image = build_image(&policy, 1);
	assert_int_not_equal(image_head(&image)->argv_start, 0);
	assert_int_equal(decide_exec(&image, "/usr/bin/git", &result), 0);
	assert_int_equal(result.verdict, PK_VERDICT_ALLOW);
	assert_int_equal(verdict_of(&image, "/usr/bin/git", "git|status", &rule), PK_VERDICT_ALLOW);
	assert_int_equal(rule, 0);
	assert_int_equal(verdict_of(&image, "/usr/bin/git", "git|log|-p", &rule), PK_VERDICT_DENY);
	assert_int_equal(rule, 2);
	assert_int_equal(verdict_of(&image, "/usr/bin/git", "git|push", &rule), PK_VERDICT_DENY);
	assert_int_equal(rule, PK_RULE_DEFAULT | PK_SECTION_EXEC);
	/* Calling itself git does not make it git. */
	assert_int_equal(verdict_of(&image, "/usr/bin/rm", "/usr/bin/git|log", &rule),
			 PK_VERDICT_DENY);
	assert_int_equal(verdict_of(&image, "/bin/sh", "x|git", &rule), PK_VERDICT_ALLOW);
	image_reset(&image);
	policy_free(&policy);
}

/* Rules that arguments and names cannot change need no second look. */
static void needs_no_commands(void **state)
{
	static const struct {
		const char *pattern;
		bool needed;
	} programs[] = {
		{ "/usr/bin/*", false },    { "**", false },   { "**/bin/git", false },
		{ "/usr/**/git", false },   { "**/*", false }, { "git", true },
		{ "/usr/bin/git x", true }, { "**/g*", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		struct policy *policy = build_policy("p");
		struct policy_image image;

		build_section(policy, PK_SECTION_EXEC, PK_VERDICT_ALLOW);
		build_rule(policy, PK_SECTION_EXEC, PK_VERDICT_DENY, PK_ACCESS_RUN);
		build_command(policy, programs[i].pattern);
		image = build_image(&policy, 1);
		assert_int_equal(image_head(&image)->argv_start != 0, programs[i].needed);
		image_reset(&image);
		policy_free(&policy);
	}
}

/* In any number of parts a key ends in the same state. */
static void reads_in_parts(void **state)
{
	struct policy *policy = build_policy("p");
	const struct pk_query query = { .section = PK_SECTION_EXEC, .access = PK_ACCESS_COMMAND };
	const size_t length = 3 * PK_PATH_MAX + 17;
	__u8 *key = calloc(1, PK_COMMAND_MAX + 1);
	struct policy_image image;
	struct pk_result result;

	(void)state;
	assert_non_null(key);
	build_section(policy, PK_SECTION_EXEC, PK_VERDICT_ALLOW);
	build_rule(policy, PK_SECTION_EXEC, PK_VERDICT_DENY, PK_ACCESS_RUN);
	build_command(policy, "git ... *end");
	image = build_image(&policy, 1);
	memset(key, 'x', length);
	memcpy(key, "/bin/git", 9);
	memcpy(key + length - 4, "end", 4);
	assert_int_equal(decide_command_key(&image, key, length, &query, &result), 0);
	assert_int_equal(result.verdict, PK_VERDICT_DENY);
	key[length - 2] = 'x';
	assert_int_equal(decide_command_key(&image, key, length, &query, &result), 0);
	assert_int_equal(result.verdict, PK_VERDICT_ALLOW);
	assert_int_equal(decide_command_key(&image, key, PK_COMMAND_MAX, &query, &result), 0);
	assert_int_equal(decide_command_key(&image, key, PK_COMMAND_MAX + 1, &query, &result), -7);
	assert_int_equal(result.verdict, PK_VERDICT_DENY);
	assert_int_equal(result.reason, PK_REASON_COMMAND);
	image_reset(&image);
	policy_free(&policy);
	free(key);
}

static int compile_one(struct policy *policy, struct diag_list *diags)
{
	struct policy_image image = { 0 };
	int r = policy_compile((const struct policy *const *)&policy, 1, NULL, &image, diags);

	image_reset(&image);
	return r;
}

static void refuses_bad_commands(void **state)
{
	static const struct {
		const char *pattern;
		const char *why;
	} bad[] = {
		{ "git [a", "'[' without ']'" },
		{ "git a**", "one '*' is enough" },
		{ "/a//b x", "empty component" },
		{ "g{a,b,c,d} {a,b,c,d} {a,b,c,d} {a,b,c,d} {a,b,c,d} {a,b,c,d}",
		  "more than 1024 commands" },
		{ "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
		  "a a a a a a a a a a a a a a a a a a a a a a a",
		  "more than 64 words" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct policy *policy = build_policy("p");
		struct diag_list diags = { 0 };

		build_section(policy, PK_SECTION_EXEC, PK_VERDICT_ALLOW);
		build_rule(policy, PK_SECTION_EXEC, PK_VERDICT_DENY, PK_ACCESS_RUN);
		build_command(policy, bad[i].pattern);
		assert_int_equal(compile_one(policy, &diags), -22);
		if (!diags.count || !strstr(diags.items[0].message, bad[i].why))
			fail_msg("'%s': %s", bad[i].pattern,
				 diags.count ? diags.items[0].message : "nothing");
		diag_list_reset(&diags);
		policy_free(&policy);
	}
}

/* Too many states: the patterns that cost them are named, with their places. */
static void names_the_costly(void **state)
{
	struct policy *policy = build_policy("p");
	struct diag_list diags = { 0 };
	char pattern[64];

	(void)state;
	build_section(policy, PK_SECTION_EXEC, PK_VERDICT_ALLOW);
	build_rule(policy, PK_SECTION_EXEC, PK_VERDICT_DENY, PK_ACCESS_RUN);
	for (char c = 'a'; c <= 'z'; c++) {
		(void)snprintf(pattern, sizeof(pattern), "tool ... *%c* ... *x%c*", c, c);
		build_command(policy, pattern);
	}
	assert_int_equal(compile_one(policy, &diags), -22);
	assert_true(diags.count > 1);
	assert_non_null(strstr(diags.items[0].message, "commands of this policy together need"));
	assert_non_null(strstr(diags.items[1].message, "is one of them"));
	assert_int_equal(diags.items[1].line, 1);
	diag_list_reset(&diags);
	policy_free(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_by_words),	cmocka_unit_test(allows_some_arguments),
		cmocka_unit_test(needs_no_commands),	cmocka_unit_test(reads_in_parts),
		cmocka_unit_test(refuses_bad_commands), cmocka_unit_test(names_the_costly),
	};

	return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
