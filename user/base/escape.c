/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Escaping of text from others. Decides which characters are safe to show; knows nothing of where
 * the text comes from or what it is shown in.
 */
#include "base/escape.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

size_t escape_utf8(const char *bytes, size_t length, unsigned int *ret_code)
{
	static const unsigned int smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)bytes;
	unsigned int code;
	size_t size;

	if (length == 0)
		return 0;
	if (s[0] < 0x80)
		size = 1, code = s[0];
	else if (s[0] >= 0xc2 && s[0] < 0xe0)
		size = 2, code = s[0] & 0x1fU;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		size = 3, code = s[0] & 0x0fU;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		size = 4, code = s[0] & 0x07U;
	else
		return 0;
	if (size > length)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3fU);
	}
	if (code < smallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	if (ret_code)
		*ret_code = code;
	return size;
}

bool escape_is_utf8(const char *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t size = escape_utf8(bytes + at, length - at, NULL);

		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

/* Characters that are not seen, or change how what surrounds them is seen. Sorted, inclusive. */
static const struct {
	unsigned int first;
	unsigned int last;
} deceptive[] = {
	{ 0x7f, 0x9f }, /* DEL, C1 controls */
	{ 0xad, 0xad }, /* soft hyphen */
	{ 0x34f, 0x34f }, /* combining grapheme joiner */
	{ 0x61c, 0x61c }, /* Arabic letter mark */
	{ 0x115f, 0x1160 }, /* Hangul fillers */
	{ 0x17b4, 0x17b5 }, /* Khmer inherent vowels, invisible */
	{ 0x180b, 0x180f }, /* Mongolian selectors and vowel separator */
	{ 0x200b, 0x200f }, /* zero width, left-to-right and right-to-left marks */
	{ 0x2028, 0x202e }, /* line and paragraph separators, embeddings, overrides */
	{ 0x2060, 0x206f }, /* word joiner, invisible operators, isolates */
	{ 0x3164, 0x3164 }, /* Hangul filler */
	{ 0xfdd0, 0xfdef }, /* non-characters */
	{ 0xfe00, 0xfe0f }, /* variation selectors */
	{ 0xfeff, 0xfeff }, /* byte order mark, zero-width no-break space */
	{ 0xffa0, 0xffa0 }, /* half-width Hangul filler */
	{ 0xfff0, 0xfffb }, /* unassigned ignorables, interlinear annotation */
	{ 0x1bca0, 0x1bca3 }, /* shorthand format controls */
	{ 0x1d173, 0x1d17a }, /* musical format controls */
	{ 0xe0000, 0xe0fff }, /* tags, variation selectors supplement */
};

static bool is_deceptive(unsigned int code)
{
	if (code < 0x20 || (code & 0xfffe) == 0xfffe)
		return true;
	for (size_t i = 0; i < sizeof(deceptive) / sizeof(deceptive[0]); i++) {
		if (code < deceptive[i].first)
			return false;
		if (code <= deceptive[i].last)
			return true;
	}
	return false;
}

size_t escape_plain(const char *bytes, size_t length)
{
	unsigned int code = 0;
	size_t size = escape_utf8(bytes, length, &code);

	return is_deceptive(code) ? 0 : size;
}

bool escape_is_plain(const char *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t size = escape_plain(bytes + at, length - at);

		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

/* The control bytes that have a letter, and their letters. */
static const char control_bytes[] = "\a\b\t\n\v\f\r";
static const char control_letters[] = "abtnvfr";

static void write_byte(FILE *to, unsigned char byte)
{
	const char *letter = byte ? strchr(control_bytes, byte) : NULL;

	if (letter)
		(void)fprintf(to, "\\%c", control_letters[letter - control_bytes]);
	else
		(void)fprintf(to, "\\x%02x", byte);
}

void escape_write(FILE *to, const char *bytes, size_t length, char also)
{
	for (size_t at = 0; at < length;) {
		unsigned int code = 0;
		size_t size = escape_utf8(bytes + at, length - at, &code);

		if (size == 0 || is_deceptive(code)) {
			size = size ? size : 1;
			for (size_t i = 0; i < size; i++)
				write_byte(to, (unsigned char)bytes[at + i]);
		} else if (code == '\\' || (also && code == (unsigned char)also)) {
			(void)fprintf(to, "\\%c", (char)code);
		} else {
			(void)fwrite(bytes + at, 1, size, to);
		}
		at += size;
	}
}

char *escape_string(const char *bytes, size_t length, char also)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	escape_write(to, bytes, length, also);
	if (fclose(to) != 0)
		return NULL;
	return TAKE_PTR(text);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Undo one escape; @text is behind the backslash. Returns the bytes consumed, 0 when ill-formed. */
static size_t undo_one(const char *text, char *ret_byte)
{
	const char *letter = *text ? strchr(control_letters, *text) : NULL;

	if (letter) {
		*ret_byte = control_bytes[letter - control_letters];
		return 1;
	}
	if (*text == 'x') {
		int high = hex_digit(text[1]);
		int low = high < 0 ? -1 : hex_digit(text[2]);

		if (low < 0)
			return 0;
		*ret_byte = (char)(high << 4 | low);
		return 3;
	}
	if (!ispunct((unsigned char)*text))
		return 0;
	*ret_byte = *text;
	return 1;
}

int escape_undo(const char *text, char **ret_bytes, size_t *ret_length)
{
	CLEAN_FREE char *bytes = malloc(strlen(text) + 1);
	size_t length = 0;

	if (!bytes)
		return -ENOMEM;
	while (*text) {
		if (*text != '\\') {
			bytes[length++] = *text++;
			continue;
		}
		text++;
		size_t used = undo_one(text, &bytes[length]);

		if (used == 0)
			return -EINVAL;
		text += used;
		length++;
	}
	bytes[length] = '\0';
	*ret_bytes = TAKE_PTR(bytes);
	*ret_length = length;
	return 0;
}
