/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grammar of host patterns. A name is first read as it was written, so that findings stand where
 * the fault is; then what libidn2 made of Unicode is held to the same rules, for many a character
 * turns into one that no name can have.
 */
#include "policy/host.h"

#include <errno.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define STARS_HINT                                                                                   \
	"write '*.example.com' for every name below it, '**.example.com' for it too, '*' alone for " \
	"any name"
#define LETTERS_HINT "a host name has letters, digits, '-', '_' and dots between its labels"

/* A name on its way: the text at hand, and where in the policy's text it stands. */
struct reading {
	struct address_part name; /* what is looked at */
	struct address_part written; /* what findings about a converted name are shown at */
	bool converted;
	struct address_error *error;
};

static int shown(size_t length)
{
	return length > 64 ? 64 : (int)length;
}

/* A finding about @length bytes of the name at @at; of a converted one about all that was written. */
#define refuse(r, from, size, hint, ...)                                                           \
	((r)->converted ?                                                                          \
		 address_refuse((r)->error, (r)->written.at, (r)->written.length, hint,            \
				__VA_ARGS__) :                                                     \
		 address_refuse((r)->error, (r)->name.at + (from), size, hint, __VA_ARGS__))

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_byte(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
	       c == '_' || c == '.';
}

static int refuse_byte(const struct reading *r, size_t at)
{
	unsigned char byte = (unsigned char)r->name.text[at];

	if (byte == '*')
		return refuse(r, at, 1, STARS_HINT,
			      "a '*' stands for whole labels, and only at the front");
	if (strchr("?[]{}", byte))
		return refuse(r, at, 1, STARS_HINT, "a host pattern has no '%c'", byte);
	if (byte == '%')
		return refuse(r, at, 1, LETTERS_HINT, "a host name has no percent escapes");
	if (byte == ' ' || byte == '\t')
		return refuse(r, at, 1, LETTERS_HINT, "a host name has no blanks");
	if (byte < 0x20 || byte == 0x7f)
		return refuse(r, at, 1, LETTERS_HINT, "a host name has no control characters");
	return refuse(r, at, 1, LETTERS_HINT, "a host name has no '%c'", byte);
}

/* True when @text, a label, is a number to the functions that read addresses. */
static bool is_number(const char *text, size_t length)
{
	size_t digits = 0;

	if (length >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return length == 2 + strspn(text + 2, "0123456789abcdefABCDEF");
	while (digits < length && is_digit(text[digits]))
		digits++;
	return digits == length;
}

static int check_last(const struct reading *r, size_t at, size_t length)
{
	const char *label = r->name.text + at;

	if (is_number(label, length))
		return refuse(r, 0, r->name.length,
			      "an address has four numbers from 0 to 255, a network 10.0.0.0/8",
			      "'%.*s' is neither an address nor a host name: it ends in a number",
			      shown(r->name.length), r->name.text);
	if (length == 9 && strncasecmp(label, "localhost", length) == 0)
		return refuse(r, 0, r->name.length, "for the loopback addresses write '@loopback'",
			      "programs do not ask for '%.*s': it is this host",
			      shown(r->name.length), r->name.text);
	return 0;
}

static int check_label(const struct reading *r, size_t at, size_t length)
{
	if (length == 0)
		return refuse(r, at < r->name.length ? at : at - (at > 0), 1, NULL,
			      "a host name has no empty labels");
	if (length > PK_LABEL_MAX)
		return refuse(r, at, length, NULL,
			      "this label of a host name has %zu bytes, %d are the most", length,
			      PK_LABEL_MAX);
	return 0;
}

/* The labels of a name without a dot at its end; @room bytes are the most it may have. */
static int check_name(const struct reading *r, size_t room)
{
	const struct address_part *name = &r->name;
	size_t at = 0;

	for (size_t i = 0; i < name->length; i++)
		if (!is_name_byte(name->text[i]))
			return refuse_byte(r, i);
	for (;;) {
		const char *dot = memchr(name->text + at, '.', name->length - at);
		size_t length = dot ? (size_t)(dot - name->text) - at : name->length - at;
		int error = check_label(r, at, length);

		if (!error && !dot)
			error = check_last(r, at, length);
		if (error)
			return error;
		if (!dot)
			break;
		at += length + 1;
	}
	if (name->length > room)
		return refuse(r, 0, name->length, NULL,
			      "this host name has %zu bytes, %d are the most", name->length,
			      PK_HOST_MAX);
	return 0;
}

static bool is_ascii(const struct address_part *part)
{
	for (size_t i = 0; i < part->length; i++)
		if ((unsigned char)part->text[i] >= 0x80)
			return false;
	return true;
}

/* A dot at the end says no more than that the name is complete. */
static void drop_dot(struct address_part *name)
{
	if (name->length > 1 && name->text[name->length - 1] == '.')
		name->length--;
}

/* What is ASCII of a name in Unicode must be right before the library sees it. */
static int check_ascii(const struct reading *r)
{
	for (size_t i = 0; i < r->name.length; i++)
		if ((unsigned char)r->name.text[i] < 0x80 && !is_name_byte(r->name.text[i]))
			return refuse_byte(r, i);
	return 0;
}

/* The ASCII form of a name in Unicode, malloc'ed. */
static int convert(const struct reading *r, char **ret_ascii)
{
	CLEAN_FREE char *text = strndup(r->name.text, r->name.length);
	char *ascii = NULL;
	int status;

	if (!text)
		return -ENOMEM;
	status = idn2_to_ascii_8z(text, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
	if (status == IDN2_MALLOC)
		return -ENOMEM;
	if (status != IDN2_OK)
		return refuse(r, 0, r->name.length, NULL, "'%.*s' cannot be a host name: %s",
			      shown(r->name.length), r->name.text, idn2_strerror(status));
	/* Its memory need not be ours to free(). */
	*ret_ascii = strdup(ascii);
	idn2_free(ascii);
	return *ret_ascii ? 0 : -ENOMEM;
}

/* Store @prefix and the canonical form of @part behind it. */
static int read_name(const struct address_part *part, const char *prefix, char **ret_host,
		     struct address_error *ret_error)
{
	struct reading r = { .name = *part, .written = *part, .error = ret_error };
	CLEAN_FREE char *ascii = NULL;
	/* Below a name at least one byte and a dot are needed. */
	size_t room = PK_HOST_MAX - (strcmp(prefix, "*.") == 0 ? 2 : 0);
	int error;

	if (!is_ascii(part)) {
		error = check_ascii(&r);
		if (!error)
			error = convert(&r, &ascii);
		if (error)
			return error;
		r.converted = true;
		r.name = (struct address_part){ ascii, strlen(ascii), part->at };
	}
	drop_dot(&r.name);
	error = check_name(&r, room);
	if (error)
		return error;
	if (asprintf(ret_host, "%s%.*s", prefix, (int)r.name.length, r.name.text) < 0) {
		*ret_host = NULL;
		return -ENOMEM;
	}
	for (char *at = *ret_host; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + ('a' - 'A'));
	return 0;
}

static bool begins(const struct address_part *part, const char *prefix)
{
	size_t length = strlen(prefix);

	return part->length >= length && memcmp(part->text, prefix, length) == 0;
}

int host_pattern_parse(const struct address_part *part, char **ret_host,
		       struct address_error *ret_error)
{
	const char *prefix = begins(part, "**.") ? "**." : begins(part, "*.") ? "*." : "";
	size_t length = strlen(prefix);
	const struct address_part name = { part->text + length, part->length - length,
					   part->at + length };

	if (part->length == 1 && *part->text == '*') {
		*ret_host = strdup("*");
		return *ret_host ? 0 : -ENOMEM;
	}
	if (part->length == 2 && begins(part, "**"))
		return address_refuse(ret_error, part->at, 2, STARS_HINT,
				      "a '**' has a name behind it");
	return read_name(&name, prefix, ret_host, ret_error);
}

int host_name_parse(const struct address_part *part, char **ret_host,
		    struct address_error *ret_error)
{
	if (memchr(part->text, '*', part->length))
		return address_refuse(ret_error, part->at, part->length,
				      "write one name that it stands for",
				      "a host pattern is more than one name");
	return read_name(part, "", ret_host, ret_error);
}

bool host_was_converted(const char *source, const char *host)
{
	const struct address_part written = { source, strlen(source), 0 };

	return host && !is_ascii(&written);
}
