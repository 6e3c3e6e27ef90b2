/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Positions and the check of the raw text. Whatever passes has one meaning for a person, for an
 * editor and for the YAML parser: lines end in a newline only, and every character can be seen.
 */
#include "policy/source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"

/** What can be wrong with a character of the text. */
enum fault_kind {
	FAULT_UTF8,
	FAULT_NUL,
	FAULT_TAB,
	FAULT_RETURN,
	FAULT_MARK,
	FAULT_CONTROL,
	FAULT_HIDDEN,
	FAULT__MAX
};

static const char *const fault_names[FAULT__MAX] = {
	[FAULT_UTF8] = "byte that is not UTF-8",
	[FAULT_NUL] = "NUL byte",
	[FAULT_TAB] = "tab",
	[FAULT_RETURN] = "carriage return",
	[FAULT_MARK] = "byte order mark",
	[FAULT_CONTROL] = "control character",
	[FAULT_HIDDEN] = "invisible character",
};

static const char *const fault_hints[FAULT__MAX] = {
	[FAULT_UTF8] = "save the file as UTF-8, or write the byte as \"\\xNN\" in double quotes",
	[FAULT_NUL] = "a policy is text: is this the right file?",
	[FAULT_TAB] = "indent and separate with spaces",
	[FAULT_RETURN] = "save the file with Unix line ends (a newline only)",
	[FAULT_MARK] = "save the file as UTF-8 without a byte order mark",
	[FAULT_CONTROL] = "remove it",
	[FAULT_HIDDEN] = "remove it: a policy must read as it works",
};

/** The faults of one kind: the first one, and how many. */
struct fault {
	size_t count;
	size_t offset;
	size_t bytes;
	unsigned int code;
};

static enum fault_kind fault_of(unsigned int code)
{
	switch (code) {
	case 0:
		return FAULT_NUL;
	case '\t':
		return FAULT_TAB;
	case '\r':
		return FAULT_RETURN;
	case 0xfeff:
		return FAULT_MARK;
	case '\n':
		return FAULT__MAX;
	default:
		break;
	}
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return FAULT_CONTROL;
	return text_is_hidden(code) ? FAULT_HIDDEN : FAULT__MAX;
}

static void find_faults(const struct source *source, struct fault *faults)
{
	for (size_t at = 0; at < source->length;) {
		unsigned int code = 0;
		size_t bytes = escape_utf8(source->text + at, source->length - at, &code);
		enum fault_kind kind = FAULT_UTF8;

		if (bytes > 0)
			kind = fault_of(code);
		else
			code = (unsigned char)source->text[at];
		if (kind < FAULT__MAX && faults[kind].count++ == 0) {
			faults[kind].offset = at;
			faults[kind].bytes = bytes;
			faults[kind].code = code;
		}
		at += bytes > 0 ? bytes : 1;
	}
}

static void report_fault(const struct source *source, enum fault_kind kind,
			 const struct fault *fault, struct diag_list *diags)
{
	struct source_span span = { source, fault->offset, fault->bytes };
	char value[24] = "";
	char more[48] = "";

	if (kind == FAULT_UTF8)
		(void)snprintf(value, sizeof(value), " (0x%02x)", fault->code);
	if (kind == FAULT_CONTROL || kind == FAULT_HIDDEN)
		(void)snprintf(value, sizeof(value), " (U+%04X)", fault->code);
	if (fault->count > 1)
		(void)snprintf(more, sizeof(more), ", and %zu more in this file", fault->count - 1);
	diag_hint(source_report(span, diags, DIAG_ERROR, "%s %s%s%s",
				strchr("aeiou", *fault_names[kind]) ? "an" : "a", fault_names[kind],
				value, more),
		  "%s", fault_hints[kind]);
}

static int find_lines(struct source *source)
{
	size_t count = 1, line = 0;

	for (size_t at = 0; at < source->length; at++)
		count += source->text[at] == '\n';
	free(source->lines);
	source->lines = reallocarray(NULL, count, sizeof(*source->lines));
	if (!source->lines)
		return -ENOMEM;
	source->line_count = count;
	source->lines[line++] = 0;
	for (size_t at = 0; at < source->length; at++) {
		if (source->text[at] == '\n')
			source->lines[line++] = at + 1;
	}
	return 0;
}

int source_check(struct source *source, struct diag_list *diags)
{
	struct fault faults[FAULT__MAX] = { 0 };
	int r = find_lines(source);

	if (r < 0)
		return r;
	find_faults(source, faults);
	for (int kind = 0; kind < FAULT__MAX; kind++) {
		if (faults[kind].count == 0)
			continue;
		report_fault(source, (enum fault_kind)kind, &faults[kind], diags);
		r = -EINVAL;
	}
	return r;
}

/* Index of the line that holds @offset. */
static size_t line_of(const struct source *source, size_t offset)
{
	size_t low = 0, high = source->line_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (source->lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct diag_pos source_pos(const struct source *source, size_t offset)
{
	struct diag_pos pos = { .file = source->name };
	size_t line;

	if (source->line_count == 0)
		return pos;
	line = line_of(source, offset);
	pos.line = (unsigned int)line + 1;
	pos.column = (unsigned int)(offset - source->lines[line]) + 1;
	return pos;
}

struct diag *source_vreport(struct source_span span, struct diag_list *diags,
			    enum diag_severity severity, const char *format, va_list arguments)
{
	const struct source *source = span.source;
	CLEAN_FREE char *message = NULL;
	struct diag_pos pos = source_pos(source, span.offset);
	struct diag *diag;
	size_t start;

	if (vasprintf(&message, format, arguments) < 0) {
		message = NULL;
		diags->out_of_memory = true;
		return NULL;
	}
	diag = diag_add(diags, severity, &pos, "%s", message);
	if (!diag || pos.line == 0)
		return diag;
	diag->length = span.length > 0 ? (unsigned int)span.length : 1;
	start = source->lines[pos.line - 1];
	diag_excerpt(diag, source->text + start, source->length - start);
	return diag;
}

struct diag *source_report(struct source_span span, struct diag_list *diags,
			   enum diag_severity severity, const char *format, ...)
{
	va_list arguments;
	struct diag *diag;

	va_start(arguments, format);
	diag = source_vreport(span, diags, severity, format, arguments);
	va_end(arguments);
	return diag;
}

void source_reset(struct source *source)
{
	free(source->owned);
	free(source->lines);
	*source = (struct source){ 0 };
}
