/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree: kinds, values taken as text, exact places of nodes and of bytes inside of texts, and
 * the limits.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/yaml.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/** A source and its tree. */
struct parsed {
	struct source source;
	struct node *root;
	struct diag_list diags;
	int result;
};

static void parse(const char *text, size_t length, struct parsed *ret)
{
	*ret = (struct parsed){ .source = { .name = "t", .text = text, .length = length } };
	ret->result = source_check(&ret->source, &ret->diags);
	if (ret->result == 0)
		ret->result = yaml_parse(&ret->source, &ret->root, &ret->diags);
	if (ret->result < 0)
		assert_true(diag_has_errors(&ret->diags));
}

static void reset(struct parsed *parsed)
{
	node_free(&parsed->root);
	source_reset(&parsed->source);
	diag_list_reset(&parsed->diags);
}

static void assert_place(const struct node *node, unsigned int line, unsigned int column)
{
	struct diag_pos pos = node_pos(node);

	assert_int_equal(pos.line, line);
	assert_int_equal(pos.column, column);
}

static void test_tree(void **state)
{
	static const char text[] = "a: b\nc:\n  - d\n  - {e: f}\n  - []\n";
	struct parsed p;
	const struct node *list;

	(void)state;
	parse(text, strlen(text), &p);
	assert_int_equal(p.result, 0);
	assert_int_equal(p.root->kind, NODE_MAP);
	assert_int_equal(p.root->count, 4);
	assert_string_equal(p.root->items[1]->text, "b");
	assert_place(p.root->items[1], 1, 4);
	list = p.root->items[3];
	assert_int_equal(list->kind, NODE_LIST);
	assert_int_equal(list->count, 3);
	assert_place(list->items[0], 3, 5);
	assert_place(list->items[1], 4, 5);
	assert_int_equal(list->items[1]->extent, strlen("{e: f}"));
	assert_string_equal(list->items[1]->items[1]->text, "f");
	assert_place(list->items[1]->items[1], 4, 9);
	assert_int_equal(list->items[2]->count, 0);
	assert_true(list->items[2]->flow);
	assert_false(list->flow);
	reset(&p);
}

/* Whatever other readers of YAML make of it, here it is the text that stands there. */
static void test_text_only(void **state)
{
	static const char *const words[] = { "yes",   "no",   "on",	    "off", "null",
					     "~",     "010",  "0x10",	    "1e3", "22:22",
					     "1_000", ".inf", "2001-01-01", "=",   "true",
					     "0b1",   "+1",   "-",	    "0o7", "<<" };

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		char text[32];
		struct parsed p;

		(void)snprintf(text, sizeof(text), "a: %s\n", words[i]);
		if (strcmp(words[i], "-") == 0)
			(void)snprintf(text, sizeof(text), "a: '-'\n");
		parse(text, strlen(text), &p);
		assert_int_equal(p.result, 0);
		assert_int_equal(p.root->items[1]->kind, NODE_TEXT);
		assert_string_equal(p.root->items[1]->text, words[i]);
		reset(&p);
	}
}

static void test_nothing(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# only this\n", "---\n...\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct parsed p;

		parse(texts[i], strlen(texts[i]), &p);
		assert_int_equal(p.result, 0);
		assert_true(!p.root || (p.root->kind == NODE_TEXT && p.root->length == 0));
		reset(&p);
	}
}

/** A text value, a byte of it and the column of the source where that byte comes from. */
struct column_row {
	const char *source;
	size_t at;
	unsigned int column;
};

static const struct column_row column_rows[] = {
	{ "a: bcd", 2, 6 },
	{ "a: 'bcd'", 2, 7 },
	{ "a: 'b''cd'", 2, 8 },
	{ "a: 'b''cd'", 3, 9 },
	{ "a: \"bcd\"", 2, 7 },
	{ "a: \"\\tcd\"", 1, 7 },
	{ "a: \"\\x41cd\"", 1, 9 },
	{ "a: \"\\u00e9cd\"", 2, 11 },
	{ "a: \"\\u20accd\"", 3, 11 },
	{ "a: \"\\U0001F600cd\"", 4, 15 },
	{ "a: \"\\\\\\\"c\"", 2, 9 },
	{ "a: \"\\Lc\"", 3, 7 },
	{ "a: \"\\_c\"", 2, 7 },
	{ "a: \"日c\"", 3, 8 },
	{ "日: bcd", 1, 7 },
	{ "{日本: é, é: bcd}", 1, 19 },
	/* Behind the end: where the closing quote is. */
	{ "a: 'bcd'", 3, 8 },
	{ "a: bcd", 3, 7 },
};

static void test_columns(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(column_rows); i++) {
		const struct column_row *row = &column_rows[i];
		const struct node *value;
		struct parsed p;

		parse(row->source, strlen(row->source), &p);
		assert_int_equal(p.result, 0);
		value = p.root->items[p.root->count - 1];
		(void)node_error_at(value, &p.diags, row->at, 1, "here");
		assert_int_equal(p.diags.count, 1);
		if (p.diags.items[0].column != row->column)
			fail_msg("%s: byte %zu: column %u, not %u", row->source, row->at,
				 p.diags.items[0].column, row->column);
		reset(&p);
	}
}

static void test_places_after_wide_lines(void **state)
{
	static const char text[] = "# größer 日本\nk日: [é, 'ü',\n  ö] # ß\nz: x\n";
	struct parsed p;

	(void)state;
	parse(text, strlen(text), &p);
	assert_int_equal(p.result, 0);
	assert_place(p.root->items[0], 2, 1);
	assert_place(p.root->items[1]->items[0], 2, 8);
	assert_place(p.root->items[1]->items[1], 2, 12);
	assert_int_equal(p.root->items[1]->items[1]->extent, strlen("'ü'"));
	assert_place(p.root->items[1]->items[2], 3, 3);
	assert_place(p.root->items[3], 4, 4);
	reset(&p);
}

static void test_duplicates(void **state)
{
	static const char text[] = "b: 1\na: 1\nb: 2\nc: 3\na: 4\nb: 5\n";
	struct parsed p;

	(void)state;
	parse(text, strlen(text), &p);
	assert_int_equal(p.result, 0);
	assert_int_equal(p.diags.count, 3);
	assert_int_equal(p.root->items[0]->kind, NODE_TEXT);
	assert_int_equal(p.root->items[2]->kind, NODE_TEXT);
	assert_int_equal(p.root->items[4]->kind, NODE_BAD);
	assert_int_equal(p.root->items[6]->kind, NODE_TEXT);
	assert_int_equal(p.root->items[8]->kind, NODE_BAD);
	assert_int_equal(p.root->items[10]->kind, NODE_BAD);
	reset(&p);
}

/* @count times @part, between @head and @tail; malloc'ed. */
static char *repeat(const char *head, const char *part, size_t count, const char *tail)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)fputs(head, to);
	for (size_t i = 0; i < count; i++)
		(void)fputs(part, to);
	(void)fputs(tail, to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void test_depth(void **state)
{
	(void)state;
	for (size_t depth = YAML_DEPTH_MAX - 1; depth <= YAML_DEPTH_MAX + 1; depth++) {
		CLEAN_FREE char *text = repeat("", "[", depth, "");
		CLEAN_FREE char *all = repeat(text, "]", depth, "");
		struct parsed p;

		parse(all, strlen(all), &p);
		assert_int_equal(p.result, depth <= YAML_DEPTH_MAX ? 0 : -EINVAL);
		reset(&p);
	}
}

static void test_node_count(void **state)
{
	CLEAN_FREE char *text = repeat("[", "a,", YAML_NODES_MAX, "]");
	struct parsed p;

	(void)state;
	parse(text, strlen(text), &p);
	assert_int_equal(p.result, -EINVAL);
	assert_null(p.root);
	reset(&p);
	(void)stpcpy(text + strlen(text) - 3, "]  ");
	parse(text, strlen(text), &p);
	assert_int_equal(p.result, 0);
	assert_int_equal(p.root->count, YAML_NODES_MAX - 1);
	reset(&p);
}

/* A bomb of aliases is refused for its first anchor, and none is expanded. */
static void test_aliases(void **state)
{
	static const char text[] = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
	struct parsed p;

	(void)state;
	parse(text, strlen(text), &p);
	assert_int_equal(p.result, 0);
	assert_int_equal(p.diags.count, 6);
	assert_true(diag_has_errors(&p.diags));
	assert_int_equal(p.root->items[5]->items[0]->kind, NODE_BAD);
	reset(&p);
}

/* Every cut of a text and every byte in it changed: no crash, and an error when there is no tree. */
static void test_damage(void **state)
{
	static const char text[] = "a: 'b'\nc: [\"\\x41\", {é: *x}]\nd: |\n  e\nf: !!g &h i\n";
	char copy[sizeof(text)];
	struct parsed p;

	(void)state;
	for (size_t length = 0; length < sizeof(text); length++) {
		parse(text, length, &p);
		reset(&p);
	}
	for (size_t at = 0; at + 1 < sizeof(text); at++) {
		for (int byte = 0; byte < 256; byte++) {
			memcpy(copy, text, sizeof(text));
			copy[at] = (char)byte;
			parse(copy, sizeof(text) - 1, &p);
			reset(&p);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_text_only),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_places_after_wide_lines),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_node_count),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
