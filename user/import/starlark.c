/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recursive descent, as deep as YAML trees may be.
 */
#include "import/starlark.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "import/tree.h"

static struct node *read_value(struct cursor *cursor);

static struct node *read_name(struct cursor *cursor)
{
	return tree_word(cursor, "", "a name is missing here");
}

static struct node *read_list(struct cursor *cursor)
{
	struct node *list = NULL;

	if (++cursor->depth > YAML_DEPTH_MAX)
		cursor_fail(cursor, cursor->at, "brackets are nested more than %d deep",
			    YAML_DEPTH_MAX);
	else
		list = tree_list(cursor, read_value);
	cursor->depth--;
	return list;
}

static struct node *read_value(struct cursor *cursor)
{
	char byte = cursor_peek(cursor);

	if (byte == '[')
		return read_list(cursor);
	if (byte == '"' || byte == '\'')
		return tree_quoted(cursor, false);
	cursor_fail(cursor, cursor->at, "only texts and lists can be read here");
	return NULL;
}

/* name = value */
static void read_argument(struct cursor *cursor, struct node *call)
{
	struct node *name = read_name(cursor);
	struct node *value = NULL;

	cursor_blanks(cursor, true);
	if (name && !cursor_skip(cursor, "="))
		cursor_fail(cursor, cursor->at, "an argument is NAME = VALUE");
	cursor_blanks(cursor, true);
	if (!cursor->failed)
		value = read_value(cursor);
	for (size_t i = 0; name && i < call->count; i += 2) {
		if (strcmp(call->items[i]->text, name->text) == 0)
			cursor_fail(cursor, name->offset, "'%s' is given twice", name->text);
	}
	if (cursor->failed || !name || !value) {
		node_free(&name);
		node_free(&value);
		return;
	}
	tree_push(cursor, call, name);
	tree_push(cursor, call, value);
}

static struct node *read_call(struct cursor *cursor)
{
	size_t start = cursor->at;
	struct node *call = tree_node(cursor, NODE_MAP, start);
	struct node *name = call ? read_name(cursor) : NULL;

	if (name) {
		call->text = TAKE_PTR(name->text);
		call->length = name->length;
	}
	node_free(&name);
	cursor_blanks(cursor, false);
	if (!cursor->failed && !cursor_skip(cursor, "("))
		cursor_fail(cursor, cursor->at, "a call is NAME(...)");
	while (call && !cursor->failed) {
		cursor_blanks(cursor, true);
		if (cursor_skip(cursor, ")"))
			break;
		read_argument(cursor, call);
		cursor_blanks(cursor, true);
		if (!cursor_skip(cursor, ",") && cursor_peek(cursor) != ')')
			cursor_fail(cursor, cursor->at, "a ',' or ')' is missing here");
	}
	if (call)
		call->extent = cursor->at - start;
	return call;
}

int starlark_parse(const struct source *source, struct node **ret_calls, struct diag_list *diags)
{
	struct cursor cursor = { .source = source, .diags = diags };
	struct node *calls = tree_node(&cursor, NODE_LIST, 0);

	while (calls && !cursor.failed) {
		cursor_blanks(&cursor, true);
		if (cursor.at >= source->length)
			break;
		tree_push(&cursor, calls, read_call(&cursor));
	}
	if (!cursor.failed) {
		*ret_calls = calls;
		return 0;
	}
	node_free(&calls);
	return diags->out_of_memory ? -ENOMEM : -EINVAL;
}
