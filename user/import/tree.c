/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes and quoted texts. A reader goes on after a failure only to come to its end: what it has built is
 * freed.
 */
#include "import/tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

char cursor_peek(const struct cursor *cursor)
{
	return cursor->at < cursor->source->length ? cursor->source->text[cursor->at] : '\0';
}

bool cursor_skip(struct cursor *cursor, const char *word)
{
	size_t length = strlen(word);

	if (cursor->source->length - cursor->at < length ||
	    memcmp(cursor->source->text + cursor->at, word, length) != 0)
		return false;
	cursor->at += length;
	return true;
}

void cursor_blanks(struct cursor *cursor, bool lines)
{
	for (;;) {
		char byte = cursor_peek(cursor);

		if (byte == '#') {
			while (cursor_peek(cursor) && cursor_peek(cursor) != '\n')
				cursor->at++;
		} else if (byte == ' ' || (lines && byte == '\n')) {
			cursor->at++;
		} else {
			return;
		}
	}
}

void cursor_fail(struct cursor *cursor, size_t offset, const char *format, ...)
{
	struct source_span span = { cursor->source, offset, 1 };
	va_list arguments;

	if (cursor->failed)
		return;
	cursor->failed = true;
	va_start(arguments, format);
	(void)source_vreport(span, cursor->diags, DIAG_ERROR, format, arguments);
	va_end(arguments);
}

struct node *tree_node(struct cursor *cursor, enum node_kind kind, size_t offset)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node) {
		cursor->failed = true;
		cursor->diags->out_of_memory = true;
		return NULL;
	}
	node->kind = kind;
	node->source = cursor->source;
	node->offset = offset;
	node->extent = cursor->at > offset ? cursor->at - offset : 1;
	return node;
}

struct node *tree_text(struct cursor *cursor, size_t offset, const char *value, size_t length)
{
	struct node *node = tree_node(cursor, NODE_TEXT, offset);

	if (!node)
		return NULL;
	node->text = strndup(value, length);
	node->length = length;
	if (!node->text) {
		cursor->failed = true;
		cursor->diags->out_of_memory = true;
		node_free(&node);
	}
	return node;
}

void tree_push(struct cursor *cursor, struct node *parent, struct node *child)
{
	struct node **grown;

	if (!child)
		return;
	if ((parent->count & (parent->count - 1)) == 0) {
		grown = reallocarray(parent->items, parent->count ? parent->count * 2 : 1,
				     sizeof(*grown));
		if (!grown) {
			cursor->failed = true;
			cursor->diags->out_of_memory = true;
			node_free(&child);
			return;
		}
		parent->items = grown;
	}
	parent->items[parent->count++] = child;
}

/* UTF-8 of @code to @to. */
static void put_code(unsigned long code, FILE *to)
{
	if (code >= 0x10000)
		(void)fprintf(to, "%c%c", (int)(0xf0 | code >> 18),
			      (int)(0x80 | (code >> 12 & 63)));
	else if (code >= 0x800)
		(void)fprintf(to, "%c", (int)(0xe0 | code >> 12));
	else if (code >= 0x80)
		(void)fprintf(to, "%c", (int)(0xc0 | code >> 6));
	else
		(void)fputc((int)code, to);
	if (code >= 0x800)
		(void)fputc((int)(0x80 | (code >> 6 & 63)), to);
	if (code >= 0x80)
		(void)fputc((int)(0x80 | (code & 63)), to);
}

/* \uXXXX or \UXXXXXXXX behind the letter. */
static void read_code(struct cursor *cursor, size_t digits, FILE *to)
{
	char text[9] = "";
	char *end = NULL;
	unsigned long code = 0;

	if (cursor->source->length - cursor->at >= digits) {
		memcpy(text, cursor->source->text + cursor->at, digits);
		if (strspn(text, "0123456789abcdefABCDEF") == digits)
			code = strtoul(text, &end, 16);
	}
	if (!end || code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
		cursor_fail(cursor, cursor->at, "this is no character");
		return;
	}
	cursor->at += digits;
	put_code(code, to);
}

/* What stands behind a backslash. */
static void read_escape(struct cursor *cursor, FILE *to)
{
	static const char letters[] = "btnfr\"\\/'";
	static const char bytes[] = "\b\t\n\f\r\"\\/'";
	char letter = cursor_peek(cursor);
	const char *found = letter ? strchr(letters, letter) : NULL;

	cursor->at++;
	if (found)
		(void)fputc(bytes[found - letters], to);
	else if (letter == 'u' || letter == 'U')
		read_code(cursor, letter == 'u' ? 4 : 8, to);
	else
		cursor_fail(cursor, cursor->at - 1, "an unknown escape");
}

struct node *tree_quoted(struct cursor *cursor, bool literal)
{
	size_t offset = cursor->at;
	char quote = cursor_peek(cursor);
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	cursor->at++;
	while (to && !cursor->failed && cursor_peek(cursor) != quote) {
		char byte = cursor_peek(cursor);

		if (byte == '\0' || byte == '\n') {
			cursor_fail(cursor, offset, "this text has no end on its line");
			break;
		}
		cursor->at++;
		if (byte == '\\' && !literal)
			read_escape(cursor, to);
		else
			(void)fputc(byte, to);
	}
	if (!to || text_close(to, &text) < 0) {
		cursor->failed = true;
		cursor->diags->out_of_memory = true;
	}
	if (cursor->failed)
		return NULL;
	cursor->at++;
	return tree_text(cursor, offset, text, size);
}

struct node *tree_word(struct cursor *cursor, const char *more, const char *missing)
{
	static const char bytes[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	size_t start = cursor->at;

	while (cursor_peek(cursor) &&
	       (strchr(bytes, cursor_peek(cursor)) || strchr(more, cursor_peek(cursor))))
		cursor->at++;
	if (cursor->at == start) {
		cursor_fail(cursor, start, "%s", missing);
		return NULL;
	}
	return tree_text(cursor, start, cursor->source->text + start, cursor->at - start);
}

struct node *tree_list(struct cursor *cursor, struct node *(*read)(struct cursor *cursor))
{
	size_t start = cursor->at++;
	struct node *list = tree_node(cursor, NODE_LIST, start);

	while (list && !cursor->failed) {
		cursor_blanks(cursor, true);
		if (cursor_skip(cursor, "]")) {
			list->extent = cursor->at - start;
			break;
		}
		tree_push(cursor, list, read(cursor));
		cursor_blanks(cursor, true);
		if (!cursor_skip(cursor, ",") && cursor_peek(cursor) != ']')
			cursor_fail(cursor, cursor->at, "a ',' or ']' is missing here");
	}
	return list;
}
