/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What YAML leaves out of a value may change: blanks at the start of further lines, and how far a block
 * is indented. Everything else is copied.
 */
#include "author/fmt_text.h"

#include <string.h>

const char *fmt_text_raw(const struct node *text)
{
	return text->source->text + text->offset;
}

static void put_indent(FILE *to, size_t indent)
{
	(void)fprintf(to, "%*s", (int)indent, "");
}

void fmt_text_put(FILE *to, const struct node *text, size_t indent)
{
	const char *at = fmt_text_raw(text), *end = at + text->extent;

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));

		(void)fwrite(at, 1, (size_t)((line ? line : end) - at), to);
		if (!line)
			return;
		(void)fputc('\n', to);
		at = line + 1;
		at += strspn(at, " ");
		if (*at != '\n')
			put_indent(to, indent);
	}
}

/** The parts of a block text. */
struct block {
	const char *signs; /* '|' or '>' and what stands behind it */
	size_t sign_count;
	const char *comment; /* on the first line, or NULL */
	const char *lines;
	const char *end;
	bool cut; /* the file ends in its last line, so that its value has no newline there */
};

static struct block take_apart(const struct node *text)
{
	struct block block = { .signs = fmt_text_raw(text) };
	const char *newline = memchr(block.signs, '\n', text->extent);

	block.end = block.signs + text->extent;
	block.lines = newline ? newline + 1 : block.end;
	block.sign_count = strcspn(block.signs, " #\n");
	block.comment = memchr(block.signs, '#', (size_t)(block.lines - block.signs));
	block.cut = block.end > block.lines && block.end[-1] != '\n';
	return block;
}

bool fmt_text_is_fixed(const struct node *text)
{
	struct block block = take_apart(text);

	for (size_t i = 0; i < block.sign_count; i++) {
		if (block.signs[i] >= '0' && block.signs[i] <= '9')
			return true;
	}
	return false;
}

static void put_head(FILE *to, const struct block *block)
{
	size_t length = block->comment ? (size_t)(block->lines - block->comment) : 0;

	(void)fwrite(block->signs, 1, block->cut ? 1 : block->sign_count, to);
	if (block->cut)
		(void)fputc('-', to);
	while (length > 0 && strchr(" \n", block->comment[length - 1]))
		length--;
	if (length > 0)
		(void)fprintf(to, "  %.*s", (int)length, block->comment);
	(void)fputc('\n', to);
}

static void put_blank(FILE *to, size_t count)
{
	for (; count > 0; count--)
		(void)fputc('\n', to);
}

bool fmt_text_put_block(FILE *to, const struct node *text, size_t indent)
{
	struct block block = take_apart(text);
	bool keep = !block.cut && memchr(block.signs, '+', block.sign_count);
	size_t depth = 0, blank = 0; /* of its lines; lines without content */
	const char *line;

	put_head(to, &block);
	for (const char *at = block.lines; at < block.end; at = line + 1) {
		size_t spaces = strspn(at, " ");

		line = memchr(at, '\n', (size_t)(block.end - at));
		if (!line)
			line = block.end;
		if (at + spaces >= line && (!depth || spaces <= depth)) {
			blank++;
			continue;
		}
		depth = depth ? depth : spaces;
		put_blank(to, blank);
		blank = 0;
		put_indent(to, indent);
		(void)fprintf(to, "%.*s\n", (int)((size_t)(line - at) - depth), at + depth);
	}
	put_blank(to, keep ? blank : 0);
	return keep;
}

bool fmt_text_has_lines(const struct node *node)
{
	if (node->kind == NODE_TEXT && (node->several_lines || node->style == NODE_BLOCK))
		return true;
	for (size_t i = 0; i < node->count; i++) {
		if (fmt_text_has_lines(node->items[i]))
			return true;
	}
	return false;
}

void fmt_text_put_flow(FILE *to, const struct node *node)
{
	bool map = node->kind == NODE_MAP;

	if (node->kind == NODE_TEXT) {
		(void)fwrite(fmt_text_raw(node), 1, node->extent, to);
		return;
	}
	(void)fputc(map ? '{' : '[', to);
	for (size_t i = 0; i < node->count; i++) {
		bool value = map && i % 2;

		/* A key without a value is written without a colon. */
		if (value && node->items[i]->kind == NODE_TEXT && node->items[i]->extent == 0)
			continue;
		if (i > 0)
			(void)fputs(value ? ": " : ", ", to);
		fmt_text_put_flow(to, node->items[i]);
	}
	(void)fputc(map ? '}' : ']', to);
}
