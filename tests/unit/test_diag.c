/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of findings and, byte for byte, its printed form; the words and widths behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/diag.h"
#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void assert_printed(struct diag_list *list, const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	diag_print(list, to);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(text, expected);
	free(text);
	diag_list_reset(list);
	assert_int_equal(list->count, 0);
}

static struct diag *add_at(struct diag_list *list, unsigned int column, unsigned int length,
			   const char *line)
{
	struct diag_pos pos = { "f.yaml", 7, column };
	struct diag *diag = diag_add(list, DIAG_ERROR, &pos, "bad");

	assert_non_null(diag);
	diag->length = length;
	diag_excerpt(diag, line, strlen(line));
	return diag;
}

static void test_plain(void **state)
{
	struct diag_list list = { 0 };

	(void)state;
	assert_false(diag_has_errors(&list));
	diag_hint(add_at(&list, 3, 4, "a bcde f\nnext"), "try %s", "this");
	assert_true(diag_has_errors(&list));
	assert_printed(&list, "f.yaml:7:3: error: bad\n"
			      "    7 | a bcde f\n"
			      "      |   ^~~~\n"
			      "hint: try this\n");
}

static void test_positions(void **state)
{
	struct diag_list list = { 0 };
	struct diag_pos file = { .file = "f" };

	(void)state;
	(void)diag_add(&list, DIAG_WARNING, &file, "the whole file");
	assert_false(diag_has_errors(&list));
	(void)diag_add(&list, DIAG_ERROR, NULL, "nowhere");
	assert_true(diag_has_errors(&list));
	assert_printed(&list, "f: warning: the whole file\nerror: nowhere\n");
}

static void test_caret_widths(void **state)
{
	struct diag_list list = { 0 };

	(void)state;
	/* "日本" is 6 bytes and 4 columns, "é" 2 and 1, "e" + U+0301 3 and 1. */
	(void)add_at(&list, 7, 1, "日本x");
	(void)add_at(&list, 1, 6, "日本x");
	(void)add_at(&list, 3, 1, "éx");
	(void)add_at(&list, 4, 1, "e\xcc\x81x");
	assert_printed(&list, "f.yaml:7:7: error: bad\n    7 | 日本x\n      |     ^\n"
			      "f.yaml:7:1: error: bad\n    7 | 日本x\n      | ^~~~\n"
			      "f.yaml:7:3: error: bad\n    7 | éx\n      |  ^\n"
			      "f.yaml:7:4: error: bad\n    7 | e\xcc\x81x\n      |  ^\n");
}

static void test_caret_edges(void **state)
{
	struct diag_list list = { 0 };

	(void)state;
	(void)add_at(&list, 4, 1, "abc");
	(void)add_at(&list, 1, 1, "");
	(void)add_at(&list, 99, 5, "abc");
	(void)add_at(&list, 2, 99, "abc");
	assert_printed(&list, "f.yaml:7:4: error: bad\n    7 | abc\n      |    ^\n"
			      "f.yaml:7:1: error: bad\n    7 | \n      | ^\n"
			      "f.yaml:7:99: error: bad\n    7 | abc\n      |    ^\n"
			      "f.yaml:7:2: error: bad\n    7 | abc\n      |  ^~\n");
}

static void test_escapes(void **state)
{
	struct diag_list list = { 0 };
	struct diag_pos pos = { "a\nb\x1b[0m", 1, 1 };
	/* A byte that is no UTF-8, and a right-to-left override. */
	const char hidden[] = { '\xff', '\xe2', '\x80', '\xae', '\0' };
	struct diag *diag;

	(void)state;
	diag = diag_add(&list, DIAG_ERROR, &pos, "x\ry %s", hidden);
	diag_hint(diag, "\a\xc3");
	diag_excerpt(diag, "\x01\x7fz", 3);
	diag->column = 3;
	assert_printed(&list, "a\\x0ab\\x1b[0m:1:3: error: x\\x0dy \\xff\\xe2\\x80\\xae\n"
			      "    1 | \\x01\\x7fz\n"
			      "      |         ^\n"
			      "hint: \\x07\\xc3\n");
}

static void test_long_line(void **state)
{
	struct diag_list list = { 0 };
	char line[1001] = "";
	struct diag *diag;

	(void)state;
	memset(line, 'x', 1000);
	line[499] = '!';
	diag = add_at(&list, 500, 1, line);
	assert_int_equal(strlen(diag->excerpt), DIAG_EXCERPT_MAX);
	assert_int_equal(diag->excerpt[499 - diag->cut], '!');
	diag = add_at(&list, 1, 1, line);
	assert_int_equal(diag->cut, 0);
	assert_true(diag->cut_end);
	diag = add_at(&list, 1000, 1, line);
	assert_false(diag->cut_end);
	diag_list_reset(&list);
}

/* A window into text of wide characters must not begin or end inside one. */
static void test_long_line_utf8(void **state)
{
	struct diag_list list = { 0 };
	char line[3001] = "";

	(void)state;
	for (int i = 0; i < 1000; i++)
		(void)stpcpy(line + 3 * (size_t)i, "日");
	for (unsigned int column = 1; column < 1000; column += 7) {
		const struct diag *diag = add_at(&list, column, 1, line);

		assert_int_equal(strlen(diag->excerpt) % 3, 0);
		assert_memory_equal(diag->excerpt, "日", 3);
		diag_list_reset(&list);
	}
}

static void test_limit(void **state)
{
	struct diag_list list = { 0 };

	(void)state;
	for (int i = 0; i < DIAG_LIST_MAX; i++)
		assert_non_null(diag_add(&list, DIAG_WARNING, NULL, "w%d", i));
	assert_null(diag_add(&list, DIAG_WARNING, NULL, "one more"));
	assert_false(diag_has_errors(&list));
	assert_non_null(diag_add(&list, DIAG_ERROR, NULL, "an error is not lost"));
	assert_true(diag_has_errors(&list));
	assert_int_equal(list.count, DIAG_LIST_MAX);
	assert_int_equal(list.dropped, 2);
	assert_string_equal(list.items[DIAG_LIST_MAX - 1].message, "an error is not lost");
	for (int i = 0; i < 2 * DIAG_LIST_MAX; i++)
		(void)diag_add(&list, DIAG_ERROR, NULL, "e%d", i);
	assert_int_equal(list.count, DIAG_LIST_MAX);
	assert_int_equal(list.dropped, 2 + 2 * DIAG_LIST_MAX);
	diag_hint(NULL, "nothing %d", 1);
	diag_excerpt(NULL, "x", 1);
	diag_list_reset(&list);
}

static void test_no_memory(void **state)
{
	struct diag_list list = { .out_of_memory = true };

	(void)state;
	assert_true(diag_has_errors(&list));
	assert_printed(&list, "error: out of memory\n");
}

static void test_nearest(void **state)
{
	const char *const names[] = { "egress", "files", NULL, "exec", "mode", "name" };
	const struct {
		const char *word;
		const char *nearest;
	} rows[] = {
		{ "egres", "egress" },
		{ "fiels", "files" },
		{ "FILES", "files" },
		{ "exce", "exec" },
		{ "mdoe", "mode" },
		{ "nmae", "name" },
		{ "xyz", NULL },
		{ "", NULL },
		{ "egressive", "egress" },
		{ "f", NULL },
		{ "a very long word that nobody could mean for any of the keys", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *nearest = text_nearest(rows[i].word, names, COUNT(names));

		if (rows[i].nearest)
			assert_string_equal(nearest, rows[i].nearest);
		else
			assert_null(nearest);
	}
}

static void test_hidden(void **state)
{
	const unsigned int hidden[] = { 0,	'\n',	0x1b,	0x7f,	0x9b,	 0x200b, 0x200f,
					0x202e, 0x2066, 0xfeff, 0xfffe, 0x1ffff, 0xe0041 };
	const unsigned int seen[] = { ' ', 'a', 0xe9, 0x301, 0x65e5, 0x1f600, 0xfffd };

	(void)state;
	for (size_t i = 0; i < COUNT(hidden); i++)
		assert_true(text_is_hidden(hidden[i]));
	for (size_t i = 0; i < COUNT(seen); i++)
		assert_false(text_is_hidden(seen[i]));
	assert_int_equal(text_width('a'), 1);
	assert_int_equal(text_width(0x301), 0);
	assert_int_equal(text_width(0x65e5), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	       cmocka_unit_test(test_positions),
		cmocka_unit_test(test_caret_widths),   cmocka_unit_test(test_caret_edges),
		cmocka_unit_test(test_escapes),	       cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_long_line_utf8), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_memory),      cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_hidden),
	};

	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
