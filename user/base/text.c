/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Widths and visibility by ranges of code points, nearness by edit distance. The tables hold what
 * matters for policies and file names; they do not replace a full Unicode database, and a width
 * that is wrong moves a caret, nothing else.
 */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

/** Longer words are not compared: no known word is near to them. */
#define WORD_MAX 48

struct text_range {
	unsigned int first;
	unsigned int last;
};

static const struct text_range text_wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },	  { 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },	  { 0xffe0, 0xffe6 },
	{ 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static const struct text_range text_combining[] = {
	{ 0x0300, 0x036f },
	{ 0x1ab0, 0x1aff },
	{ 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f },
};

static const struct text_range text_hidden[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, { 0x061c, 0x061c },
	{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
	{ 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
};

#define IN_RANGES(code, ranges) in_ranges(code, ranges, sizeof(ranges) / sizeof(*(ranges)))

static bool in_ranges(unsigned int code, const struct text_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	}
	return false;
}

unsigned int text_width(unsigned int code)
{
	if (IN_RANGES(code, text_combining))
		return 0;
	return IN_RANGES(code, text_wide) ? 2 : 1;
}

bool text_is_hidden(unsigned int code)
{
	return IN_RANGES(code, text_hidden) || (code & 0xfffe) == 0xfffe;
}

static unsigned int smallest(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Insertions, deletions, replacements and swaps of neighbours that make @a into @b. */
static unsigned int edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		last[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *spare = before;

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned int change = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;

			row[j] = smallest(last[j] + 1, row[j - 1] + 1, last[j - 1] + change);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[b_length];
}

const char *text_nearest(const char *word, const char *const *names, size_t count)
{
	size_t length = strlen(word);
	unsigned int best = 0;
	const char *nearest = NULL;

	if (length == 0 || length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t name_length = names[i] ? strlen(names[i]) : WORD_MAX + 1;
		unsigned int distance;

		if (name_length > WORD_MAX)
			continue;
		distance = edit_distance(word, length, names[i], name_length);
		if (distance > (length > name_length ? length : name_length) / 3)
			continue;
		if (!nearest || distance < best) {
			nearest = names[i];
			best = distance;
		}
	}
	return nearest;
}

int text_close(FILE *to, char **text)
{
	bool lost = ferror(to) != 0;

	if (fclose(to) != 0)
		lost = true;
	if (!lost && *text)
		return 0;
	mem_free_ptr(text);
	return -ENOMEM;
}
