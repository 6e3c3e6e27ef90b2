/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Line by line: a header moves to a table, everything else puts a value into it. A key that is there is
 * never set again; a table that was only implied by a deeper one may be opened once.
 */
#include "import/toml.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "import/tree.h"

/** `flow` of a map: it is closed (inline) and nothing may be added. `several_lines`: opened by a header. */

static struct node *read_value(struct cursor *cursor);
static void read_pair(struct cursor *cursor, struct node *table);

static struct node *read_key(struct cursor *cursor)
{
	char byte = cursor_peek(cursor);

	if (byte == '"' || byte == '\'')
		return tree_quoted(cursor, byte == '\'');
	return tree_word(cursor, "-", "a key is missing here");
}

static struct node *find(const struct node *table, const char *key)
{
	for (size_t i = 0; i + 1 < table->count; i += 2) {
		if (strcmp(table->items[i]->text, key) == 0)
			return table->items[i + 1];
	}
	return NULL;
}

/* Put @value (taken) under @key (taken) into @table. */
static void put(struct cursor *cursor, struct node *table, struct node *key, struct node *value)
{
	if (key && value && find(table, key->text))
		cursor_fail(cursor, key->offset, "'%s' is there already", key->text);
	if (cursor->failed || !key || !value) {
		node_free(&key);
		node_free(&value);
		return;
	}
	tree_push(cursor, table, key);
	tree_push(cursor, table, value);
}

/* The table under @key (taken) of @table, made when it is not there; of an array of tables the last one. */
static struct node *enter(struct cursor *cursor, struct node *table, struct node *key)
{
	struct node *below = key ? find(table, key->text) : NULL;

	if (below && below->kind == NODE_LIST && below->count && below->several_lines)
		below = below->items[below->count - 1];
	if (below && (below->kind != NODE_MAP || below->flow)) {
		cursor_fail(cursor, key->offset, "'%s' is no table that can be added to",
			    key->text);
		below = NULL;
	} else if (key && !below) {
		below = tree_node(cursor, NODE_MAP, key->offset);
		put(cursor, table, TAKE_PTR(key), below);
	}
	node_free(&key);
	return cursor->failed ? NULL : below;
}

/* Dotted keys: moves *@table down to the one that holds the last part, which is returned. */
static struct node *read_keys(struct cursor *cursor, struct node **table)
{
	struct node *key = read_key(cursor);

	for (unsigned int depth = 0; key && !cursor->failed; depth++) {
		cursor_blanks(cursor, false);
		if (!cursor_skip(cursor, "."))
			return key;
		cursor_blanks(cursor, false);
		if (depth > YAML_DEPTH_MAX / 2)
			cursor_fail(cursor, cursor->at, "tables are nested too deep");
		*table = enter(cursor, *table, TAKE_PTR(key));
		if (*table)
			key = read_key(cursor);
	}
	node_free(&key);
	return NULL;
}

static void close_table(struct node *table)
{
	table->flow = true;
	for (size_t i = 1; i < table->count; i += 2) {
		if (table->items[i]->kind == NODE_MAP && !table->items[i]->flow)
			close_table(table->items[i]);
	}
}

static struct node *read_inline(struct cursor *cursor)
{
	size_t start = cursor->at++;
	struct node *table = tree_node(cursor, NODE_MAP, start);

	cursor_blanks(cursor, false);
	while (table && !cursor->failed && !cursor_skip(cursor, "}")) {
		read_pair(cursor, table);
		cursor_blanks(cursor, false);
		if (cursor_skip(cursor, ","))
			cursor_blanks(cursor, false);
		else if (cursor_peek(cursor) != '}')
			cursor_fail(cursor, cursor->at, "a ',' or '}' is missing here");
	}
	if (table) {
		table->extent = cursor->at - start;
		close_table(table);
	}
	return table;
}

/* true, false and numbers. */
static struct node *read_word(struct cursor *cursor)
{
	size_t start = cursor->at;
	const char *text = cursor->source->text + start;
	size_t length;

	while (cursor_peek(cursor) && !strchr(" \n,]}#", cursor_peek(cursor)))
		cursor->at++;
	length = cursor->at - start;
	if ((length == 4 && memcmp(text, "true", 4) == 0) ||
	    (length == 5 && memcmp(text, "false", 5) == 0))
		return tree_text(cursor, start, text, length);
	for (size_t i = 0; i < length; i++) {
		if (!strchr("0123456789_.+-eE", text[i]))
			length = 0;
	}
	if (length == 0 || (length > 4 && text[4] == '-')) {
		cursor_fail(cursor, start, "this is no text, number, truth value, array or table");
		return NULL;
	}
	return tree_text(cursor, start, text, length);
}

static struct node *read_any(struct cursor *cursor)
{
	switch (cursor_peek(cursor)) {
	case '"':
	case '\'':
		if (cursor_skip(cursor, "\"\"\"") || cursor_skip(cursor, "'''")) {
			cursor_fail(cursor, cursor->at - 3,
				    "texts over several lines cannot be read");
			return NULL;
		}
		return tree_quoted(cursor, cursor_peek(cursor) == '\'');
	case '[':
		return tree_list(cursor, read_value);
	case '{':
		return read_inline(cursor);
	default:
		return read_word(cursor);
	}
}

static struct node *read_value(struct cursor *cursor)
{
	struct node *value = NULL;

	if (++cursor->depth > YAML_DEPTH_MAX / 2)
		cursor_fail(cursor, cursor->at, "brackets are nested too deep");
	else
		value = read_any(cursor);
	cursor->depth--;
	return value;
}

/* key = value */
static void read_pair(struct cursor *cursor, struct node *table)
{
	struct node *key = read_keys(cursor, &table);

	if (key && !cursor_skip(cursor, "="))
		cursor_fail(cursor, cursor->at, "a '=' is missing here");
	cursor_blanks(cursor, false);
	put(cursor, table, key, cursor->failed ? NULL : read_value(cursor));
}

/* One more table of the array under @key (taken). */
static struct node *add_table(struct cursor *cursor, struct node *table, struct node *key)
{
	struct node *list = find(table, key->text);
	size_t offset = key->offset;
	struct node *added;

	if (list && (list->kind != NODE_LIST || !list->several_lines)) {
		cursor_fail(cursor, offset, "'%s' is no array of tables", key->text);
	} else if (!list) {
		list = tree_node(cursor, NODE_LIST, offset);
		if (list)
			list->several_lines = true;
		put(cursor, table, TAKE_PTR(key), list);
	}
	node_free(&key);
	added = cursor->failed ? NULL : tree_node(cursor, NODE_MAP, offset);
	if (added)
		tree_push(cursor, list, added);
	return cursor->failed ? NULL : added;
}

/* [table] or [[array]]: the table that what follows belongs to, or NULL (reported). */
static struct node *read_header(struct cursor *cursor, struct node *root)
{
	bool array = cursor_skip(cursor, "[[") || !cursor_skip(cursor, "[");
	struct node *table = root;
	struct node *key;
	size_t offset;

	cursor_blanks(cursor, false);
	key = read_keys(cursor, &table);
	if (!key)
		return NULL;
	offset = key->offset;
	table = array ? add_table(cursor, table, key) : enter(cursor, table, key);
	if (table && !array && table->several_lines)
		cursor_fail(cursor, offset, "this table is opened twice");
	if (table)
		table->several_lines = true;
	cursor_blanks(cursor, false);
	if (!cursor->failed && !cursor_skip(cursor, array ? "]]" : "]"))
		cursor_fail(cursor, cursor->at, "a ']' is missing here");
	return table;
}

int toml_parse(const struct source *source, struct node **ret_root, struct diag_list *diags)
{
	struct cursor cursor = { .source = source, .diags = diags };
	struct node *root = tree_node(&cursor, NODE_MAP, 0);
	struct node *table = root;

	while (root && !cursor.failed) {
		cursor_blanks(&cursor, true);
		if (cursor.at >= source->length)
			break;
		if (cursor_peek(&cursor) == '[')
			table = read_header(&cursor, root);
		else
			read_pair(&cursor, table);
		cursor_blanks(&cursor, false);
		if (!cursor.failed && cursor.at < source->length && cursor_peek(&cursor) != '\n')
			cursor_fail(&cursor, cursor.at, "the line should end here");
	}
	if (!cursor.failed) {
		*ret_root = root;
		return 0;
	}
	node_free(&root);
	return diags->out_of_memory ? -ENOMEM : -EINVAL;
}
