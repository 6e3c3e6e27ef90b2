/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left out is counted in columns; escape sequences have none, and are always written.
 */
#include "cli/fit.h"

#include <stdbool.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"

#define PARTS 3
/* Columns that a part keeps, if it has so many. */
#define KEEP_FIRST 36
#define KEEP_SECOND 14
#define KEEP_LAST 22
#define MARK "\xe2\x80\xa6"

/* A piece of a line. */
struct part {
	const char *at;
	size_t length;
	size_t width; /* that it has */
	size_t room; /* that it gets */
};

/* What a line begins with: bytes and columns. */
struct glyph {
	size_t length;
	size_t width;
};

/* Bytes of a colour sequence at @at, or 0. */
static size_t sequence_length(const char *at, size_t length)
{
	size_t i = 2;

	if (length < 3 || at[0] != '\033' || at[1] != '[')
		return 0;
	while (i < length && (unsigned char)at[i] < 0x40)
		i++;
	return i < length ? i + 1 : 0;
}

static struct glyph next_glyph(const char *at, size_t length)
{
	size_t sequence = sequence_length(at, length);
	unsigned int code = 0;
	size_t bytes;

	if (sequence)
		return (struct glyph){ sequence, 0 };
	bytes = escape_utf8(at, length, &code);
	if (!bytes)
		return (struct glyph){ 1, 1 };
	return (struct glyph){ bytes, text_width(code) };
}

static size_t width_of(const char *at, size_t length)
{
	size_t width = 0;

	for (size_t i = 0; i < length;) {
		struct glyph glyph = next_glyph(at + i, length - i);

		width += glyph.width;
		i += glyph.length;
	}
	return width;
}

/* At the first two pairs of blanks. Returns how many there are. */
static size_t split(const char *line, struct part parts[PARTS])
{
	size_t count = 0;

	while (count < PARTS) {
		const char *end = count + 1 < PARTS ? strstr(line, "  ") : NULL;
		size_t length = end ? (size_t)(end - line) : strlen(line);

		parts[count++] = (struct part){ .at = line,
						.length = length,
						.width = width_of(line, length) };
		if (!end)
			break;
		line = end + 2;
	}
	for (size_t i = 0; i < count; i++)
		parts[i].room = parts[i].width;
	return count;
}

/* Take up to @over columns away from @part, which keeps @keep. Returns what is over still. */
static size_t shrink(struct part *part, size_t keep, size_t over)
{
	size_t spare = part->room > keep ? part->room - keep : 0;
	size_t less = spare < over ? spare : over;

	part->room -= less;
	return over - less;
}

static size_t total_width(const struct part parts[PARTS], size_t count)
{
	size_t total = 2 * (count - 1);

	for (size_t i = 0; i < count; i++)
		total += parts[i].width;
	return total;
}

static void share_room(struct part parts[PARTS], size_t count, size_t width)
{
	static const size_t keep[PARTS] = { KEEP_FIRST, KEEP_SECOND, KEEP_LAST };
	size_t total = total_width(parts, count);
	size_t over = total > width ? total - width : 0;

	for (size_t i = count; over && i-- > 0;)
		over = shrink(&parts[i], keep[i], over);
	for (size_t i = count; over && i-- > 0;)
		over = shrink(&parts[i], 1, over);
}

/* Take out of @line what says least: the process's parents. Returns false: there are none. */
static bool drop_parents(char *line, const struct part *process)
{
	char *at = line + (process->at - line); /* that is ours to change */
	char *end = at + process->length;
	char *parents = strstr(at, " < ");

	if (!parents || parents >= end)
		return false;
	memmove(parents, end, strlen(end) + 1);
	return true;
}

/* And then the folders of the policy: "deny@/etc/picket/policies/work.yaml:9". */
static bool drop_folders(const struct part *decider)
{
	char *folder = strstr((char *)decider->at, "@/");
	char *name = NULL;

	for (char *at = folder; at && *at && *at != ' '; at++)
		name = *at == '/' ? at + 1 : name;
	if (!name)
		return false;
	memmove(folder + 1, name, strlen(name) + 1);
	return true;
}

/* The parts of @line, which loses what can be done without at @width. Returns how many there are. */
static size_t arrange(char *line, size_t width, struct part parts[PARTS])
{
	size_t count = split(line, parts);

	if (count > 1 && total_width(parts, count) > width && drop_parents(line, &parts[1]))
		count = split(line, parts);
	if (count == PARTS && total_width(parts, count) > width && drop_folders(&parts[2]))
		count = split(line, parts);
	share_room(parts, count, width);
	return count;
}

/* Write @part in its room: the columns from @from on are left out, so many as are too many. */
static void put_part(const struct part *part, size_t from, FILE *to)
{
	size_t behind = from + part->width - part->room + 1;
	size_t column = 0;
	bool marked = false;

	for (size_t i = 0; i < part->length;) {
		struct glyph glyph = next_glyph(part->at + i, part->length - i);
		bool left_out = part->room < part->width && glyph.width &&
				column + glyph.width > from && column < behind;

		if (!left_out)
			(void)fwrite(part->at + i, 1, glyph.length, to);
		else if (!marked)
			(void)fputs(MARK, to);
		marked |= left_out;
		column += glyph.width;
		i += glyph.length;
	}
}

void fit_line(const char *line, size_t width, FILE *to)
{
	CLEAN_FREE char *copy = width ? strdup(line) : NULL;
	struct part parts[PARTS];
	size_t count;

	if (!copy) {
		(void)fputs(line, to);
		return;
	}
	count = arrange(copy, width, parts);
	for (size_t i = 0; i < count; i++) {
		/* Of the last part the beginning says most, of the others both ends. */
		size_t from = i + 1 == PARTS ? parts[i].room - 1 : parts[i].room * 2 / 3;

		(void)fputs(i ? "  " : "", to);
		put_part(&parts[i], from, to);
	}
}
