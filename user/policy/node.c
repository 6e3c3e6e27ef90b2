/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes of the tree: freeing, describing, and finding the source byte behind a byte of a value.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/yaml.h"

/** Longest text that node_describe() quotes. */
#define DESCRIBE_MAX 40

void node_free(struct node **node)
{
	struct node *n = *node;

	*node = NULL;
	if (!n)
		return;
	/* The depth of the recursion is at most YAML_DEPTH_MAX. */
	for (size_t i = 0; i < n->count; i++)
		node_free(&n->items[i]);
	free(n->items);
	free(n->text);
	free(n);
}

/* Bytes of the value that the escape at @raw (behind the backslash) stands for; *@ret_raw: bytes
 * of the escape, backslash included. */
static size_t escape_size(const char *raw, size_t left, size_t *ret_raw)
{
	unsigned long code;
	char digits[9] = "";
	size_t count;

	*ret_raw = 2;
	if (left == 0)
		return 0;
	count = *raw == 'x' ? 2 : *raw == 'u' ? 4 : *raw == 'U' ? 8 : 0;
	if (count == 0 || left <= count)
		/* \N and \_ are two bytes of UTF-8, \L and \P three. */
		return strchr("N_", *raw) ? 2 : strchr("LP", *raw) ? 3 : 1;
	memcpy(digits, raw + 1, count);
	code = strtoul(digits, NULL, 16);
	*ret_raw = 2 + count;
	return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/* The source offset of byte @at of the value of a text written on one line. */
static size_t source_offset(const struct node *node, size_t at)
{
	const char *raw = node->source->text + node->offset;
	size_t skip = node->style == NODE_PLAIN ? 0 : 1;
	size_t value = 0;

	if (node->style == NODE_PLAIN)
		return node->offset + at;
	while (skip + 1 < node->extent && value < at) {
		size_t raw_bytes = 1, value_bytes = 1;

		if (node->style == NODE_SINGLE && raw[skip] == '\'')
			raw_bytes = 2;
		if (node->style == NODE_DOUBLE && raw[skip] == '\\')
			value_bytes =
				escape_size(raw + skip + 1, node->extent - skip - 2, &raw_bytes);
		if (value + value_bytes > at)
			break;
		skip += raw_bytes;
		value += value_bytes;
	}
	return node->offset + skip;
}

/* Bytes to underline: not more than the rest of the first line. */
static size_t first_line(const struct node *node)
{
	const char *start = node->source->text + node->offset;
	const char *newline = memchr(start, '\n', node->extent);
	size_t length = newline ? (size_t)(newline - start) : node->extent;

	while (length > 0 && start[length - 1] == ' ')
		length--;
	return length;
}

struct diag *node_report(const struct node *node, struct diag_list *diags,
			 enum diag_severity severity, const char *format, ...)
{
	va_list arguments;
	struct diag *diag;
	struct source_span span = { node->source, node->offset, 1 };

	/* A block map or list starts with its first child: one character is enough of it. */
	if (node->kind == NODE_TEXT || node->flow)
		span.length = first_line(node);
	va_start(arguments, format);
	diag = source_vreport(span, diags, severity, format, arguments);
	va_end(arguments);
	return diag;
}

struct diag *node_error_at(const struct node *node, struct diag_list *diags, size_t at,
			   size_t length, const char *format, ...)
{
	bool exact = !node->several_lines && node->style != NODE_BLOCK;
	size_t from = exact ? source_offset(node, at) : node->offset;
	size_t to = exact ? source_offset(node, at + length) : from + 1;
	struct source_span span = { node->source, from, to - from };
	va_list arguments;
	struct diag *diag;

	va_start(arguments, format);
	diag = source_vreport(span, diags, DIAG_ERROR, format, arguments);
	va_end(arguments);
	return diag;
}

bool node_has_bad(const struct node *map)
{
	for (size_t i = 0; i < map->count; i++) {
		if (map->items[i]->kind == NODE_BAD)
			return true;
	}
	return false;
}

struct diag_pos node_pos(const struct node *node)
{
	return source_pos(node->source, node->offset);
}

const char *node_describe(const struct node *node, char *buffer, size_t size)
{
	if (node->kind == NODE_LIST)
		return "a list";
	if (node->kind == NODE_MAP)
		return "a map of keys";
	if (node->length == 0)
		return node->style == NODE_PLAIN ? "nothing" : "an empty text";
	if (node->length > DESCRIBE_MAX || node->several_lines)
		return "a text";
	(void)snprintf(buffer, size, "the text '%s'", node->text);
	return buffer;
}
