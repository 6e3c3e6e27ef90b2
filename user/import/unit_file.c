/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of unit files: sections, settings, comments, continuation by a backslash.
 */
#include "import/unit_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "import/tree.h"

static size_t line_end(const struct cursor *cursor)
{
	const char *start = cursor->source->text + cursor->at;
	const char *newline = memchr(start, '\n', cursor->source->length - cursor->at);

	return newline ? (size_t)(newline - cursor->source->text) : cursor->source->length;
}

/* The value from the cursor to the end of its lines, backslashes and comments between them taken away. */
static char *read_value(struct cursor *cursor)
{
	const char *text = cursor->source->text;
	char *value = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&value, &size);
	bool more = to != NULL;

	while (more && cursor->at < cursor->source->length) {
		size_t end = line_end(cursor);
		size_t from = cursor->at;

		cursor->at = end + (end < cursor->source->length);
		while (end > from && text[end - 1] == ' ')
			end--;
		if (size && (text[from] == '#' || text[from] == ';'))
			continue;
		more = end > from && text[end - 1] == '\\';
		(void)fprintf(to, "%.*s%s", (int)(end - from - more), text + from, more ? " " : "");
		(void)fflush(to);
	}
	if (!to || text_close(to, &value) < 0) {
		cursor->failed = true;
		cursor->diags->out_of_memory = true;
	}
	return value;
}

/* Join @value (taken) to what is there under @key (taken). */
static void put(struct cursor *cursor, struct node *map, struct node *key, struct node *value)
{
	for (size_t i = 0; key && value && i + 1 < map->count; i += 2) {
		struct node *old = map->items[i + 1];
		char *joined = NULL;

		if (strcmp(map->items[i]->text, key->text) != 0)
			continue;
		if (asprintf(&joined, "%s%s%s", value->length ? old->text : "",
			     value->length && old->length ? " " : "", value->text) < 0) {
			cursor->failed = true;
			joined = NULL;
		}
		free(value->text);
		value->text = joined;
		value->length = joined ? strlen(joined) : 0;
		node_free(&map->items[i + 1]);
		map->items[i + 1] = value;
		node_free(&key);
		return;
	}
	tree_push(cursor, map, key);
	tree_push(cursor, map, value);
}

/* KEY=VALUE at the cursor, into @map unless it is NULL: another section. */
static void read_setting(struct cursor *cursor, struct node *map)
{
	const char *text = cursor->source->text;
	size_t start = cursor->at, end = line_end(cursor);
	const char *equals = memchr(text + start, '=', end - start);
	struct node *key, *value;
	CLEAN_FREE char *bytes = NULL;
	size_t length;

	if (!equals) {
		cursor_fail(cursor, start, "a line is KEY=VALUE, [SECTION] or a comment");
		return;
	}
	length = (size_t)(equals - text) - start;
	while (length > 0 && text[start + length - 1] == ' ')
		length--;
	cursor->at = (size_t)(equals - text) + 1;
	while (cursor_peek(cursor) == ' ')
		cursor->at++;
	end = cursor->at;
	bytes = read_value(cursor);
	if (!map || cursor->failed || !bytes)
		return;
	key = tree_text(cursor, start, text + start, length);
	value = tree_text(cursor, end, bytes, strlen(bytes));
	if (key)
		key->extent = length ? length : 1;
	if (value)
		value->extent = value->length ? value->length : 1;
	if (key && value) {
		put(cursor, map, key, value);
	} else {
		node_free(&key);
		node_free(&value);
	}
}

/* [SECTION]: is it the one that is looked for? */
static bool read_section(struct cursor *cursor, const char *section)
{
	size_t start = cursor->at, end = line_end(cursor);
	const char *text = cursor->source->text + start;
	const char *close = memchr(text, ']', end - start);
	size_t length = close ? (size_t)(close - text) - 1 : 0;

	if (!close)
		cursor_fail(cursor, start, "a ']' is missing here");
	cursor->at = end;
	return length == strlen(section) && strncmp(text + 1, section, length) == 0;
}

int unit_file_parse(const struct source *source, const char *section, struct node **ret_root,
		    struct diag_list *diags)
{
	struct cursor cursor = { .source = source, .diags = diags };
	struct node *root = tree_node(&cursor, NODE_MAP, 0);
	bool inside = false, found = false;

	while (root && !cursor.failed && cursor.at < source->length) {
		char byte = cursor_peek(&cursor);

		if (byte == ' ' || byte == '\n') {
			cursor.at++;
		} else if (byte == '#' || byte == ';') {
			cursor.at = line_end(&cursor);
		} else if (byte == '[') {
			inside = read_section(&cursor, section);
			found = found || inside;
		} else {
			read_setting(&cursor, inside ? root : NULL);
		}
	}
	if (!found)
		cursor_fail(&cursor, 0, "there is no section [%s] in it", section);
	if (!cursor.failed) {
		*ret_root = root;
		return 0;
	}
	node_free(&root);
	return diags->out_of_memory ? -ENOMEM : -EINVAL;
}
