/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The glob language by example: what is refused and where, what a glob stands for, and what it
 * matches, the latter through the compiler and through the reference alike.
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
#include "naive.h"
#include "policy/decide.h"
#include "policy/glob.h"

static const struct {
	const char *glob;
	size_t column;
	const char *why; /* part of the sentence */
} refused[] = {
	{ "", 1, "begins with '/'" },
	{ "a", 1, "begins with '/'" },
	{ "*/a", 1, "begins with '/'" },
	{ "{/a,b}", 1, "begins with '/'" },
	{ "/a**b", 3, "whole component" },
	{ "/a**", 3, "whole component" },
	{ "/**b", 2, "whole component" },
	{ "**b", 1, "whole component" },
	{ "/{a,b}**", 7, "whole component" },
	{ "/a{/,}**", 7, "whole component" },
	{ "/a***", 3, "more than two" },
	{ "/{*,a}*", 3, "two '*' meet" },
	{ "/a//b", 3, "empty component" },
	{ "//", 1, "empty component" },
	{ "/a/", 3, "ends in '/'" },
	{ "/a{/,}", 4, "ends in '/'" },
	{ "/a/{/b,c}", 3, "empty component" },
	{ "/a/./b", 3, "'.' or '..'" },
	{ "/a/..", 3, "'.' or '..'" },
	{ "/.", 1, "'.' or '..'" },
	{ "/a/{b,..}", 3, "'.' or '..'" },
	{ "/[ab", 2, "'[' without ']'" },
	{ "/[", 2, "'[' without ']'" },
	{ "/[a\\", 4, "'[' without ']'" },
	{ "/[]a]", 2, "empty class" },
	{ "/[^a]", 3, "[!...]" },
	{ "/[z-a]", 3, "backwards" },
	{ "/[a/b]", 4, "never matches '/'" },
	{ "/[\303\244]", 3, "ASCII only" },
	{ "/a]", 3, "without '['" },
	{ "/{a,b", 2, "'{' without '}'" },
	{ "/{a,{b}", 2, "'{' without '}'" },
	{ "/a}", 3, "'}' without '{'" },
	{ "/a\\", 3, "backslash at the end" },
	{ "/a\\/b", 3, "cannot be escaped" },
	{ "/{{{{{{{{{{{{{{{{{a}}}}}}}}}}}}}}}}}", 18, "nested too deeply" },
	{ "/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", 1, "more than 1024" },
};

static void refuses_with_position(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		size_t column = 0;
		const char *why = "";

		if (glob_check(refused[i].glob, &column, &why))
			fail_msg("'%s' is accepted", refused[i].glob);
		if (column != refused[i].column || !strstr(why, refused[i].why))
			fail_msg("'%s': column %zu: %s", refused[i].glob, column, why);
	}
}

static void refuses_what_no_path_can_be(void **state)
{
	char *text = malloc(GLOB_TEXT_MAX + 2);
	const char *why = "";

	(void)state;
	assert_non_null(text);
	memset(text, 'a', GLOB_TEXT_MAX + 1);
	text[0] = '/';
	text[GLOB_TEXT_MAX + 1] = '\0';
	assert_false(glob_check(text, NULL, &why));
	assert_string_equal(why, "longer than any path");
	text[2 * PK_PATH_MAX + 1] = '\0';
	assert_false(glob_check(text, NULL, &why));
	assert_string_equal(why, "longer than any path");
	text[PK_PATH_MAX] = '\0';
	assert_true(glob_check(text, NULL, &why));
	free(text);
}

/* Write a sequence in a notation of its own: <.> any byte, <s> set, <*> star, <**> deep. */
static int note_sequence(void *context, const struct glob_token *tokens, size_t count)
{
	static const char *const words[] = {
		[GLOB_ONE] = "<.>", [GLOB_SET] = "<s>", [GLOB_STAR] = "<*>", [GLOB_DEEP] = "<**>"
	};
	FILE *text = context;

	for (size_t i = 0; i < count; i++) {
		if (tokens[i].kind == GLOB_BYTE)
			(void)fputc(tokens[i].byte, text);
		else
			(void)fputs(words[tokens[i].kind], text);
	}
	(void)fputc(' ', text);
	return 0;
}

static void assert_sequences(struct glob *glob, const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(glob_expand(glob, note_sequence, to), 0);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void expands_braces_in_order(void **state)
{
	static const struct {
		const char *glob;
		const char *sequences;
	} cases[] = {
		{ "/", "/ " },
		{ "**", "/<**> " },
		{ "**/a", "/<**>/a " },
		{ "/a,b", "/a,b " },
		{ "/{a,b}{c,}", "/ac /a /bc /b " },
		{ "/{a{b,c},{d}}", "/ab /ac /d " },
		{ "{/a,**}/b", "/a/b /<**>/b " },
		{ "/*", "/<.><*> " },
		{ "/*/b*", "/<.><*>/b<*> " },
		{ "/{*,a}/?[x]", "/<.><*>/<.><s> /a/<.><s> " },
		{ "/\\{\\*\\}", "/{*} " },
		{ "/{[,],[}]}x", "/<s>x /<s>x " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct glob *glob = NULL;

		assert_int_equal(glob_parse(cases[i].glob, &glob, NULL), 0);
		assert_sequences(glob, cases[i].sequences);
		/* A second visit starts over. */
		assert_sequences(glob, cases[i].sequences);
		glob_free(&glob);
		assert_null(glob);
		glob_free(&glob);
	}
}

static const struct {
	const char *glob;
	const char *path;
	bool matches;
} examples[] = {
	{ "/", "/", true },
	{ "/", "/a", false },
	{ "/a", "/a", true },
	{ "/a", "/", false },
	{ "/a", "/ab", false },
	{ "/a", "/a/b", false },
	{ "/*", "/", false },
	{ "/*", "/a", true },
	{ "/*", "/.a", true },
	{ "/*", "/a/b", false },
	{ "/a*", "/a", true },
	{ "/a*c", "/abc", true },
	{ "/a*c", "/ab/c", false },
	{ "/?", "/a", true },
	{ "/?", "/", false },
	{ "/a?b", "/a/b", false },
	{ "/\303\244", "/\303\244", true },
	{ "/?", "/\303\244", false },
	{ "/??", "/\303\244", true },
	{ "**", "/", true },
	{ "**", "/a/b/c", true },
	{ "/**", "/", true },
	{ "/**", "/a", true },
	{ "/a/**", "/a", true },
	{ "/a/**", "/a/b", true },
	{ "/a/**", "/a/b/c", true },
	{ "/a/**", "/ab", false },
	{ "/a/**", "/", false },
	{ "/a/**/**", "/a", true },
	{ "**/.env", "/.env", true },
	{ "**/.env", "/a/b/.env", true },
	{ "**/.env", "/a/x.env", false },
	{ "**/.env", "/.env/a", false },
	{ "**/.ssh/**", "/home/u/.ssh", true },
	{ "**/.ssh/**", "/home/u/.ssh/id_rsa", true },
	{ "/a/**/b", "/a/b", true },
	{ "/a/**/b", "/a/x/b", true },
	{ "/a/**/b", "/a/x/y/b", true },
	{ "/a/**/b", "/a/xb", false },
	{ "/a/**/b", "/ab", false },
	{ "/a/**/*", "/a", false },
	{ "/a/**/*", "/a/b", true },
	{ "/a/**/**/b", "/a/b", true },
	{ "**/*.pem", "/k.pem", true },
	{ "**/*.pem", "/a/.pem", true },
	{ "**/*.pem", "/a.pem/b", false },
	{ "**/a/**/b", "/x/a/y/a/b", true },
	{ "/[a-c]x", "/bx", true },
	{ "/[a-c]x", "/dx", false },
	{ "/[!a-c]x", "/dx", true },
	{ "/[!a-c]x", "/ax", false },
	{ "/a[!b]c", "/a/c", false },
	{ "/a[!b]c", "/a\303c", true },
	{ "/a[+-9]c", "/a/c", false },
	{ "/a[+-9]c", "/a.c", true },
	{ "/[a-]", "/-", true },
	{ "/[\\]]", "/]", true },
	{ "/[*?{]", "/{", true },
	{ "/[*?{]", "/a", false },
	{ "/{a,b}/c", "/b/c", true },
	{ "/{a,b}/c", "/c", false },
	{ "/{a/b,c}/d", "/a/b/d", true },
	{ "/a{,.bak}", "/a", true },
	{ "/a{,.bak}", "/a.bak", true },
	{ "/{a,{b,c}d}", "/cd", true },
	{ "/{a,{b,c}d}", "/c", false },
	{ "{/a,/b}/**", "/b", true },
	{ "/\\*", "/*", true },
	{ "/\\*", "/a", false },
	{ "/\\a\\,b", "/a,b", true },
	{ "/a b", "/a b", true },
};

static bool compiled_matches(const char *glob, const char *path)
{
	struct policy *policy = build_policy("glob");
	struct policy_image image;
	struct pk_result result;

	build_section(policy, PK_SECTION_FILES, PK_VERDICT_DENY);
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, glob);
	image = build_image(&policy, 1);
	assert_int_equal(decide_path(&image, PK_SECTION_FILES, PK_ACCESS_READ, path, &result), 0);
	image_reset(&image);
	policy_free(&policy);
	return result.verdict == PK_VERDICT_ALLOW;
}

static void matches_by_example(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		if (compiled_matches(examples[i].glob, examples[i].path) != examples[i].matches)
			fail_msg("compiled: '%s' on '%s'", examples[i].glob, examples[i].path);
		if (naive_glob(examples[i].glob, examples[i].path, NAIVE_RIGHT) !=
		    examples[i].matches)
			fail_msg("reference: '%s' on '%s'", examples[i].glob, examples[i].path);
	}
}

/* Words of commands: '/' is a byte like any other, "..." stands for any words. */
static void checks_arguments(void **state)
{
	static const char *const good[] = { "push", "",	    "--*",     "a/b/",	 "//",	    "[!/]x",
					    "...",  "{a,}", "?\\/\\ ", "{*,a}*", "[a-z/]*", ".." };
	static const struct {
		const char *glob;
		size_t column;
		const char *why;
	} bad[] = {
		{ "a**", 2, "one '*' is enough" }, { "{a,b", 1, "'{' without '}'" },
		{ "[ab", 1, "'[' without ']'" },   { "a\\", 2, "backslash at the end" },
		{ "[b-a]", 2, "backwards" },
	};
	const char *why = "";
	size_t column = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(glob_check_argument(good[i], NULL, NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(glob_check_argument(bad[i].glob, &column, &why));
		assert_int_equal(column, bad[i].column);
		assert_non_null(strstr(why, bad[i].why));
	}
	assert_false(glob_check("a", NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_arguments),
		cmocka_unit_test(refuses_with_position),
		cmocka_unit_test(refuses_what_no_path_can_be),
		cmocka_unit_test(expands_braces_in_order),
		cmocka_unit_test(matches_by_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
