/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of findings and its printed form. Text comes from policies and file names, so nothing
 * of it reaches the terminal unescaped; the caret stands under the character as it is shown.
 */
#include "base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"

/** Bytes of a long source line that are kept before the column. */
#define DIAG_EXCERPT_BEFORE 80

static void diag_reset(struct diag *diag)
{
	mem_free_ptr(&diag->file);
	mem_free_ptr(&diag->message);
	mem_free_ptr(&diag->hint);
	mem_free_ptr(&diag->excerpt);
	*diag = (struct diag){ 0 };
}

/* Make room in a full list: an error is worth more than a warning. */
static bool displace_warning(struct diag_list *list)
{
	for (size_t i = list->count; i > 0; i--) {
		if (list->items[i - 1].severity != DIAG_WARNING)
			continue;
		diag_reset(&list->items[i - 1]);
		memmove(&list->items[i - 1], &list->items[i],
			(list->count - i) * sizeof(*list->items));
		list->count--;
		return true;
	}
	return false;
}

static bool diag_room(struct diag_list *list, enum diag_severity severity)
{
	struct diag *items;

	if (list->count >= DIAG_LIST_MAX) {
		list->dropped++;
		if (severity != DIAG_ERROR || !displace_warning(list))
			return false;
	}
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (!items) {
		list->out_of_memory = true;
		return false;
	}
	list->items = items;
	return true;
}

struct diag *diag_add(struct diag_list *list, enum diag_severity severity,
		      const struct diag_pos *pos, const char *format, ...)
{
	struct diag diag = { .severity = severity, .length = 1 };
	va_list arguments;

	if (!diag_room(list, severity))
		return NULL;
	va_start(arguments, format);
	if (vasprintf(&diag.message, format, arguments) < 0)
		diag.message = NULL;
	va_end(arguments);
	if (pos) {
		diag.line = pos->line;
		diag.column = pos->column;
		diag.file = pos->file ? strdup(pos->file) : NULL;
	}
	if (!diag.message || (pos && pos->file && !diag.file)) {
		diag_reset(&diag);
		list->out_of_memory = true;
		return NULL;
	}
	list->items[list->count] = diag;
	return &list->items[list->count++];
}

void diag_hint(struct diag *diag, const char *format, ...)
{
	va_list arguments;

	if (!diag)
		return;
	mem_free_ptr(&diag->hint);
	va_start(arguments, format);
	if (vasprintf(&diag->hint, format, arguments) < 0)
		diag->hint = NULL; /* a hint that cannot be had is not worth an error */
	va_end(arguments);
}

/* The start of the character that holds byte @at: do not cut inside UTF-8. */
static size_t character_start(const char *line, size_t at)
{
	size_t start = at;

	while (start > 0 && at - start < 3 && ((unsigned char)line[start] & 0xc0) == 0x80)
		start--;
	return start;
}

void diag_excerpt(struct diag *diag, const char *line, size_t length)
{
	const char *newline;
	size_t from = 0;

	if (!diag)
		return;
	newline = memchr(line, '\n', length);
	if (newline)
		length = (size_t)(newline - line);
	if (length > DIAG_EXCERPT_MAX) {
		if (diag->column > DIAG_EXCERPT_BEFORE && diag->column <= length)
			from = character_start(line, diag->column - DIAG_EXCERPT_BEFORE);
		if (length - from > DIAG_EXCERPT_MAX) {
			length = character_start(line, from + DIAG_EXCERPT_MAX);
			diag->cut_end = true;
		}
	}
	mem_free_ptr(&diag->excerpt);
	diag->cut = (unsigned int)from;
	diag->excerpt = strndup(line + from, length - from);
}

bool diag_has_errors(const struct diag_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].severity == DIAG_ERROR)
			return true;
	}
	return list->out_of_memory;
}

/* Print the character at @at as it may be shown. Returns its bytes and terminal columns. */
static size_t print_character(FILE *to, const char *at, size_t left, unsigned int *ret_width)
{
	unsigned int code = 0;
	size_t bytes = escape_utf8(at, left, &code);

	if (bytes > 0 && !text_is_hidden(code)) {
		(void)fwrite(at, 1, bytes, to);
		*ret_width = text_width(code);
		return bytes;
	}
	(void)fprintf(to, "\\x%02x", (unsigned char)*at);
	*ret_width = 4;
	return 1;
}

static void print_text(FILE *to, const char *text)
{
	size_t left = strlen(text);
	unsigned int width;

	while (left > 0) {
		size_t bytes = print_character(to, text, left, &width);

		text += bytes;
		left -= bytes;
	}
}

/* Where the caret line starts and how long it is, in terminal columns. */
struct diag_caret {
	unsigned int start;
	unsigned int length;
};

static struct diag_caret print_line(const struct diag *diag, FILE *to)
{
	struct diag_caret caret = { 0 };
	size_t length = strlen(diag->excerpt);
	size_t first = diag->column > diag->cut ? diag->column - diag->cut - 1 : 0;
	unsigned int width;

	for (size_t at = 0; at < length;) {
		size_t bytes = print_character(to, diag->excerpt + at, length - at, &width);

		if (at + bytes <= first)
			caret.start += width;
		else if (at < first + diag->length)
			caret.length += width;
		at += bytes;
	}
	return caret;
}

static void print_excerpt(const struct diag *diag, FILE *to)
{
	struct diag_caret caret;

	(void)fprintf(to, "%5u | %s", diag->line, diag->cut ? "..." : "");
	caret = print_line(diag, to);
	(void)fprintf(to, "%s\n", diag->cut_end ? "..." : "");
	(void)fprintf(to, "      | %s", diag->cut ? "   " : "");
	for (unsigned int i = 0; i < caret.start; i++)
		(void)fputc(' ', to);
	(void)fputc('^', to);
	for (unsigned int i = 1; i < caret.length; i++)
		(void)fputc('~', to);
	(void)fputc('\n', to);
}

static void print_one(const struct diag *diag, FILE *to)
{
	if (diag->file) {
		print_text(to, diag->file);
		if (diag->line > 0)
			(void)fprintf(to, ":%u:%u", diag->line, diag->column);
		(void)fputs(": ", to);
	}
	(void)fputs(diag->severity == DIAG_ERROR ? "error: " : "warning: ", to);
	print_text(to, diag->message);
	if (diag->code)
		(void)fprintf(to, " [%s]", diag->code);
	(void)fputc('\n', to);
	if (diag->excerpt && diag->line > 0)
		print_excerpt(diag, to);
	if (diag->hint) {
		(void)fputs("hint: ", to);
		print_text(to, diag->hint);
		(void)fputc('\n', to);
	}
}

void diag_print(const struct diag_list *list, FILE *to)
{
	for (size_t i = 0; i < list->count; i++)
		print_one(&list->items[i], to);
	if (list->dropped > 0)
		(void)fprintf(to, "%zu more findings are not shown\n", list->dropped);
	if (list->out_of_memory)
		(void)fputs("error: out of memory\n", to);
}

void diag_list_reset(struct diag_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		diag_reset(&list->items[i]);
	free(list->items);
	*list = (struct diag_list){ 0 };
}
