/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one form: what it is, that it is the same when it is made again, that it decides the same and
 * keeps every comment; shipped policies, golden cases, generated texts in every style that YAML has,
 * and comments put where nobody would.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "author/fmt.h"
#include "base/mem.h"
#include "commands.h"
#include "dice.h"
#include "policies.h"
#include "policy/compile.h"
#include "policy/image.h"

#define GENERATED 600
#define MUTATED 1200

/* @text in the form, malloc'ed, or NULL with what was found in *@ret_found (malloc'ed). */
static char *format(const char *text, char **ret_found)
{
	CLEAN(source_reset)
	struct source source = { .name = "p.yaml", .text = text, .length = strlen(text) };
	struct diag_list diags = { 0 };
	char *formatted = NULL;
	size_t size = 0;
	int r = fmt_source(&source, &formatted, &diags);

	assert_int_equal(r == 0, formatted != NULL);
	assert_int_equal(r != 0, diag_has_errors(&diags));
	if (r < 0 && ret_found) {
		FILE *to = open_memstream(ret_found, &size);

		assert_non_null(to);
		diag_print(&diags, to);
		assert_int_equal(fclose(to), 0);
	}
	diag_list_reset(&diags);
	return formatted;
}

/* @text must be formatted as @expected, and that as itself. */
static void assert_form(const char *text, const char *expected)
{
	CLEAN_FREE char *found = NULL;
	CLEAN_FREE char *once = format(text, &found);
	CLEAN_FREE char *twice = NULL;

	if (!once)
		fail_msg("refused:\n%s%s", found, text);
	assert_string_equal(once, expected);
	twice = format(once, NULL);
	assert_non_null(twice);
	assert_string_equal(twice, once);
}

static void test_form(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "\n\n# nothing\n\n\n# else", "# nothing\n\n# else\n" },
		{ "picket: 1", "picket: 1\n" },
		{ "---\npicket: 1\n...\n", "picket: 1\n" },
		{ "--- # begins\npicket: 1\n... # ends\n", "# begins\npicket: 1\n# ends\n" },
		{ "\n\npicket:    1   \n\n\n\nname:   x\n\n", "picket: 1\n\nname: x\n" },
		{ "{picket: 1, files: {rules: [ {deny: /a} ]}}",
		  "picket: 1\nfiles: {rules: [{deny: /a}]}\n" },
		{ "files:\n     rules:\n     - deny: /a\n       id:   x\n     - {deny: /b}\n",
		  "files:\n  rules:\n    - deny: /a\n      id: x\n    - {deny: /b}\n" },
		{ "a: [ x,\n  'y',   \"z\" ]\n", "a: [x, 'y', \"z\"]\n" },
		{ "a:\n- - x\n  - y\n- []\n- {}\n-\n- z\n",
		  "a:\n  - - x\n    - y\n  - []\n  - {}\n  -\n  - z\n" },
		{ "a:\nb: {}\nc: []\n", "a:\nb: {}\nc: []\n" },
		{ "? a\n: b\n", "a: b\n" },
		{ "a: [b: c, {d, e: f}]\n", "a: [{b: c}, {d, e: f}]\n" },
		/* Comments of every kind of place. */
		{ "#a\na: 1 #b\n#c\nb: #d\n  #e\n  c: 1\n  #f\n#g\nd: 1\n#h\n",
		  "#a\na: 1  #b\n#c\nb:  #d\n  #e\n  c: 1\n  #f\n#g\nd: 1\n#h\n" },
		{ "a:\n- x # 1\n# 2\n- y\n# 3\nb: 1\n",
		  "a:\n  - x  # 1\n  # 2\n  - y\n# 3\nb: 1\n" },
		{ "a:\n  - x\n  # of the list\n\n# of b\nb: 1\n",
		  "a:\n  - x\n  # of the list\n\n# of b\nb: 1\n" },
		{ "a: [ # 1\n  x, # 2\n  y # 3\n  # 4\n] # 5\nb: 1\n",
		  "a:  # 1\n  - x  # 2\n  - y  # 3\n  # 4\n  # 5\nb: 1\n" },
		{ "- # 1\n  a: 1\n- {b: 1, # 2\n c: 2}\n- [] # 3\n# 4\n- []\n",
		  "# 1\n- a: 1\n- b: 1  # 2\n  c: 2\n- []  # 3\n# 4\n- []\n" },
		{ "a: # 1\n  [x]\nb: # 2\n  []\n", "a:  # 1\n  - x\nb: []\n# 2\n" },
		{ "a: '#no' #yes\nb: x#no\nc: \"a # no\" # yes\n",
		  "a: '#no'  #yes\nb: x#no\nc: \"a # no\"  # yes\n" },
		/* Texts of several lines. */
		{ "a: |  # why\n      one\n\n        two\n\n\n\nb: 1\n",
		  "a: |  # why\n  one\n\n    two\n\nb: 1\n" },
		{ "a: >-\n    one\n    two\n # no line of it\nb: |+\n  x\n\n\nc: 1\n",
		  "a: >-\n  one\n  two\n# no line of it\nb: |+\n  x\n\n\nc: 1\n" },
		{ "a: |\n   x", "a: |-\n  x\n" },
		{ "a: one\n     two\n\n     three # c\nb: 'x\n\n\n  y'\n",
		  "a: one\n  two\n\n  three  # c\nb: 'x\n\n\n  y'\n" },
		{ "a: [one\n two, 3]\n", "a:\n  - one\n    two\n  - 3\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_form(rows[i][0], rows[i][1]);
}

/* One byte under the width stays, one over it is opened. */
static void test_width(void **state)
{
	char text[FMT_WIDTH + 16];

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t length = FMT_WIDTH - strlen("a: [, y]") + over;
		CLEAN_FREE char *formatted = NULL;

		(void)snprintf(text, sizeof(text), "a: [%0*d, y]\n", (int)length, 0);
		formatted = format(text, NULL);
		assert_non_null(formatted);
		assert_int_equal(strncmp(formatted, "a:\n  - 0", 8) == 0, over);
	}
}

static void test_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "a:\n  # here\n  b\n",
		  "p.yaml:2:3: error: a comment between a key and its value has no place\n"
		  "    2 |   # here\n"
		  "      |   ^~~~~~\n"
		  "hint: move it above the key, or behind the value\n" },
		{ "a: |2\n  x\n",
		  "p.yaml:1:4: error: a block whose indentation is given as a number cannot be moved\n"
		  "    1 | a: |2\n"
		  "      |    ^~\n"
		  "hint: leave the number away, or write the text in quotes\n" },
		{ "? \"a\n  b\"\n: c\n",
		  "p.yaml:1:1: error: this cannot be written in another form without changing it\n"
		  "    1 | ? \"a\n"
		  "      | ^\n"
		  "hint: write it on one line, or its keys and values on lines of their own\n" },
		{ "a: [\n", "p.yaml:2:1: error: expected a value here\n" },
		{ "a: &x 1\n",
		  "p.yaml:1:4: error: anchors and aliases are not part of the language\n" },
		{ "a: 1\na: 2\n",
		  "p.yaml:2:1: error: duplicate key 'a': it is already at line 1, column 1\n" },
		{ "a:\t1\n", "p.yaml:1:3: error: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEAN_FREE char *found = NULL;
		CLEAN_FREE char *formatted = format(rows[i][0], &found);

		if (formatted)
			fail_msg("taken:\n%s", rows[i][0]);
		if (strncmp(found, rows[i][1], strlen(rows[i][1])) != 0)
			assert_string_equal(found, rows[i][1]);
	}
}

/* The image without the places in the text, which are all that may differ; false: it has none. */
static bool compile(const char *text, struct policy_image *ret_image)
{
	const struct compile_options options = { 0 };
	CLEAN(policy_free) struct policy *policy = policy_text_load("p.yaml", text);
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	const struct policy *const layers[1] = { policy };
	struct pk_image *head;

	if (policy_compile(layers, 1, &options, ret_image, &diags) < 0)
		return false;
	head = (struct pk_image *)(void *)ret_image->bytes;
	for (__u32 i = 0; image_rule(ret_image, i); i++) {
		struct pk_rule *rule = (struct pk_rule *)(uintptr_t)image_rule(ret_image, i);

		rule->line = rule->column = 0;
	}
	memset(head->digest, 0, sizeof(head->digest));
	assert_int_equal(image_seal(ret_image), 0);
	return true;
}

static bool assert_same_image(const char *before, const char *after)
{
	CLEAN(image_reset) struct policy_image a = { 0 };
	CLEAN(image_reset) struct policy_image b = { 0 };
	bool compiled = compile(before, &a);

	assert_int_equal(compile(after, &b), compiled);
	if (compiled)
		assert_memory_equal(image_head(&a)->digest, image_head(&b)->digest,
				    sizeof(image_head(&a)->digest));
	return compiled;
}

/* Whether @text can be compiled from memory: it includes no files. */
static bool stands_alone(const char *text)
{
	return !strstr(text, "../") && !strstr(text, "# set:");
}

static size_t format_folder(const char *folder, bool shipped)
{
	DIR *files = opendir(folder);
	size_t count = 0, compiled = 0;

	assert_non_null(files);
	for (const struct dirent *entry = readdir(files); entry; entry = readdir(files)) {
		CLEAN_FREE char *path = NULL;
		CLEAN_FREE char *text = NULL;
		CLEAN_FREE char *once = NULL;
		CLEAN_FREE char *twice = NULL;

		if (!strstr(entry->d_name, ".yaml"))
			continue;
		assert_true(asprintf(&path, "%s/%s", folder, entry->d_name) > 0);
		text = read_file(path);
		once = format(text, NULL);
		if (!once)
			fail_msg("%s is refused", path);
		twice = format(once, NULL);
		assert_string_equal(once, twice);
		if (shipped && strcmp(once, text) != 0)
			fail_msg("%s is not in the form: picket fmt -w %s", path, path);
		if (stands_alone(text))
			compiled += assert_same_image(text, once);
		count++;
	}
	assert_int_equal(closedir(files), 0);
	assert_true(compiled >= count / 2);
	return count;
}

static void test_policies(void **state)
{
	(void)state;
	assert_true(format_folder("policies/presets", true) >= 5);
	assert_true(format_folder("policies/examples", true) >= 4);
	assert_true(format_folder("tests/cases/good", false) >= 20);
}

/* --- Generated texts ------------------------------------------------------------------------------ */

/* Something between two signs inside of brackets. */
static void put_gap(struct dice *dice, FILE *to, unsigned int indent)
{
	switch (dice_roll(dice, 8)) {
	case 0:
		(void)fprintf(to, "\n%*s", (int)indent, "");
		break;
	case 1:
		(void)fprintf(to, "  # c%u\n%*s", dice_roll(dice, 100), (int)indent, "");
		break;
	case 2:
		(void)fputs("   ", to);
		break;
	default:
		(void)fputc(' ', to);
	}
}

static void put_pattern(struct dice *dice, FILE *to, bool flow)
{
	static const char *const words[] = { "/a", "/b/**", "/c d", "/#e", "/f#g", "/h/x.y" };
	const char *word = words[dice_roll(dice, 6)];
	unsigned int number = dice_roll(dice, 100000);

	switch (dice_roll(dice, flow ? 3 : 4)) {
	case 0:
		(void)fprintf(to, "'/%u%s'", number, word);
		break;
	case 1:
		(void)fprintf(to, "\"/%u%s\"", number, word);
		break;
	default:
		(void)fprintf(to, "/%u%s", number, word);
	}
}

static void put_line_end(struct dice *dice, FILE *to, unsigned int indent)
{
	if (dice_roll(dice, 4) == 0)
		(void)fprintf(to, "%*s# t%u", (int)dice_roll(dice, 3) + 1, "",
			      dice_roll(dice, 100));
	(void)fputc('\n', to);
	for (unsigned int i = dice_roll(dice, 4); i > 2; i--)
		(void)fputc('\n', to);
	if (dice_roll(dice, 6) == 0)
		(void)fprintf(to, "%*s# o%u  \n", (int)dice_roll(dice, indent + 4), "",
			      dice_roll(dice, 100));
}

static void put_flow_rule(struct dice *dice, FILE *to, unsigned int indent)
{
	unsigned int count = dice_roll(dice, 6) + 1;

	(void)fputc('{', to);
	put_gap(dice, to, indent + 2);
	(void)fputs("deny: [", to);
	for (unsigned int i = 0; i < count; i++) {
		put_gap(dice, to, indent + 2);
		put_pattern(dice, to, true);
		put_gap(dice, to, indent + 2);
		(void)fputc(i + 1 < count ? ',' : ']', to);
	}
	put_gap(dice, to, indent + 2);
	(void)fputs(", access: [ read,write ]", to);
	put_gap(dice, to, indent + 2);
	(void)fputc('}', to);
	put_line_end(dice, to, indent);
}

static void put_block_rule(struct dice *dice, FILE *to, unsigned int indent)
{
	unsigned int count = dice_roll(dice, 4) + 1;
	unsigned int deeper = indent + 2 + dice_roll(dice, 4);

	(void)fputs("deny:", to);
	put_line_end(dice, to, indent);
	for (unsigned int i = 0; i < count; i++) {
		(void)fprintf(to, "%*s- ", (int)deeper, "");
		put_pattern(dice, to, false);
		put_line_end(dice, to, deeper);
	}
	(void)fprintf(to, "%*saccess:   [read, write]", (int)indent + 2, "");
	put_line_end(dice, to, indent);
}

/* A policy of a section files, in whatever style. */
static char *generate(struct dice *dice)
{
	unsigned int indent = dice_roll(dice, 4) + 1;
	unsigned int list = indent + dice_roll(dice, 4);
	unsigned int count = dice_roll(dice, 5) + 1;
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	(void)fputs("picket: 1", to);
	put_line_end(dice, to, 0);
	(void)fputs("files:", to);
	put_line_end(dice, to, 0);
	(void)fprintf(to, "%*sdefault: allow", (int)indent, "");
	put_line_end(dice, to, indent);
	(void)fprintf(to, "%*srules:", (int)indent, "");
	put_line_end(dice, to, list);
	for (unsigned int i = 0; i < count; i++) {
		(void)fprintf(to, "%*s- ", (int)list, "");
		if (dice_roll(dice, 2))
			put_flow_rule(dice, to, list);
		else
			put_block_rule(dice, to, list);
	}
	assert_int_equal(fclose(to), 0);
	return text;
}

/* Format @text twice; what comes out has as many '#' and is the same the second time. */
static char *check_text(const char *text)
{
	CLEAN_FREE char *found = NULL;
	char *once = format(text, &found);
	CLEAN_FREE char *twice = NULL;

	if (!once) {
		/* The form and the writer never disagree: that would be a fault of the writer. */
		if (strstr(found, "cannot be written in another form"))
			fail_msg("%s\n%s", found, text);
		return NULL;
	}
	twice = format(once, &found);
	if (!twice || strcmp(once, twice) != 0)
		fail_msg("another form the second time:\n%s--\n%s--\n%s", text, once,
			 twice ? twice : found);
	return once;
}

static void test_generated(void **state)
{
	struct dice dice = { .state = 6 };
	size_t compiled = 0;

	(void)state;
	for (unsigned int i = 0; i < GENERATED; i++) {
		CLEAN_FREE char *text = generate(&dice);
		CLEAN_FREE char *once = check_text(text);

		if (!once)
			fail_msg("refused:\n%s", text);
		if (i % 20 == 0) {
			compiled += assert_same_image(text, once);
		}
	}
	assert_true(compiled > GENERATED / 25);
}

/* @text with a comment or a blank line put at the end of some line. */
static char *mutate(struct dice *dice, const char *text)
{
	static const char *const what[] = { " # x", "\n# x", "\n      # x", "\n", "\n  # x\n", " " };
	size_t at = dice_roll(dice, (uint32_t)strlen(text));
	char *mutated = NULL;

	at += strcspn(text + at, "\n");
	assert_true(asprintf(&mutated, "%.*s%s%s", (int)at, text, what[dice_roll(dice, 6)],
			     text + at) > 0);
	return mutated;
}

static void test_mutated(void **state)
{
	CLEAN_FREE char *everything = read_file("tests/cases/good/everything.yaml");
	CLEAN_FREE char *agent = read_file("policies/examples/coding-agent.yaml");
	struct dice dice = { .state = 7 };
	size_t taken = 0;

	(void)state;
	for (unsigned int i = 0; i < MUTATED; i++) {
		CLEAN_FREE char *text = strdup(i % 2 ? everything : agent);
		CLEAN_FREE char *once = NULL;

		for (unsigned int j = dice_roll(&dice, 6); j > 0; j--) {
			char *next = mutate(&dice, text);

			free(text);
			text = next;
		}
		once = check_text(text);
		taken += once != NULL;
	}
	/* Some comments stand between a key and its value. */
	assert_true(taken > MUTATED * 3 / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),	  cmocka_unit_test(test_width),
		cmocka_unit_test(test_refused),	  cmocka_unit_test(test_policies),
		cmocka_unit_test(test_generated), cmocka_unit_test(test_mutated),
	};

	return cmocka_run_group_tests_name("fmt", tests, NULL, NULL);
}
