/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What changes in a name from run to run. Deterministic: one name alone decides.
 */
#include "author/learn_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"

#define HASH_MIN 7
#define NUMBER_MIN 3
#define RANDOM 6
#define EXTENSION_MAX 4
#define TRIAL 8

static bool is_digit(char byte)
{
	return isdigit((unsigned char)byte) != 0;
}

static bool is_part(char byte)
{
	return isalnum((unsigned char)byte) != 0;
}

/* Write bytes that stand for themselves in a pattern. */
static void put_plain(FILE *to, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t size = escape_plain(bytes, length);

		if (size == 0)
			(void)fputc('?', to);
		else if (*bytes == '$')
			(void)fputc('$', to);
		else if (strchr("*?[]{},\\", *bytes))
			(void)fputc('\\', to);
		(void)fwrite(bytes, 1, size, to);
		bytes += size ? size : 1;
		length -= size ? size : 1;
	}
}

/* Bytes of a version at @at: numbers with dots between, two at least; *@ret_major: up to behind the first dot. */
static size_t version_length(const char *at, size_t length, size_t *ret_major)
{
	size_t end = 0;
	size_t numbers = 0;
	size_t i = 0;

	while (i < length && is_digit(at[i])) {
		while (i < length && is_digit(at[i]))
			i++;
		if (++numbers == 1)
			*ret_major = i + 1;
		end = i;
		if (i + 1 >= length || at[i] != '.' || !is_digit(at[i + 1]))
			break;
		i++;
	}
	return numbers >= 2 ? end : 0;
}

/* Is the part of @length bytes at @at a hash or a number? */
static bool is_volatile(const char *at, size_t length)
{
	size_t digits = 0;
	size_t hex = 0;

	for (size_t i = 0; i < length; i++) {
		digits += is_digit(at[i]);
		hex += isxdigit((unsigned char)at[i]) != 0;
	}
	if (digits == length)
		return length >= NUMBER_MIN;
	return hex == length && length >= HASH_MIN && digits > 0;
}

static bool put_usual(FILE *to, const char *name, size_t length)
{
	bool wild = false;
	bool star = false;
	size_t i = 0;

	while (i < length) {
		bool start = i == 0 || !is_part(name[i - 1]);
		size_t part = 0;
		size_t major = 0;
		size_t cut = is_digit(name[i]) && (i == 0 || !is_digit(name[i - 1])) ?
				     version_length(name + i, length - i, &major) :
				     0;

		while (i + part < length && is_part(name[i + part]))
			part++;
		if (!cut)
			major = 0;
		if (!cut && start && is_volatile(name + i, part))
			cut = part;
		put_plain(to, name + i, cut ? major : 0);
		star = star && !major;
		/* Two stars together would say nothing more, and are refused. */
		if (cut && !star)
			(void)fputc('*', to);
		if (!cut)
			put_plain(to, name + i, 1);
		star = cut > 0;
		wild = wild || cut;
		i += cut ? cut : 1;
	}
	return wild;
}

/* Bytes of the extension with its dot, or 0. */
static size_t extension_length(const char *name, size_t length)
{
	size_t i = length;

	while (i > 0 && (islower((unsigned char)name[i - 1]) || is_digit(name[i - 1])))
		i--;
	if (i < 2 || name[i - 1] != '.' || i == length || length - i > EXTENSION_MAX)
		return 0;
	return length - i + 1;
}

/* Is the part of @length bytes at @at one that mkstemp() and its like would choose? */
static bool is_random(const char *at, size_t length)
{
	bool upper = false;
	bool lower = false;
	bool digit = false;

	for (size_t i = 0; i < length; i++) {
		upper = upper || isupper((unsigned char)at[i]);
		lower = lower || islower((unsigned char)at[i]);
		digit = digit || is_digit(at[i]);
	}
	return length >= RANDOM && upper + lower + digit >= 2;
}

/* Parts that are random become stars. Returns whether there was one; else nothing is written. */
static bool put_random(FILE *to, const char *name, size_t length)
{
	bool wild = false;

	for (int writing = 0; writing < 2; writing++) {
		size_t part;

		for (size_t i = 0; i < length; i += part ? part : 1) {
			size_t keep;

			part = 0;
			while (i + part < length && is_part(name[i + part]))
				part++;
			if (!is_random(name + i, part)) {
				if (writing)
					put_plain(to, name + i, part ? part : 1);
				continue;
			}
			wild = true;
			keep = i == 0 ? part - RANDOM : 0;
			if (writing) {
				put_plain(to, name + i, keep);
				(void)fputc('*', to);
			}
		}
		if (!wild)
			return false;
	}
	return true;
}

/* Python's names for trying out a folder. */
static bool is_trial(const char *name, size_t length)
{
	size_t i = 0;

	while (i < length &&
	       (islower((unsigned char)name[i]) || is_digit(name[i]) || name[i] == '_'))
		i++;
	return i == length && length == TRIAL;
}

/* A name of which nothing looks random, and that may well be. */
static bool put_unclear(FILE *to, const char *name, size_t length)
{
	size_t stem = 0;
	size_t keep;

	/* The dot of a hidden file separates nothing. */
	while (stem < length && (stem == 0 || name[stem] != '.'))
		stem++;
	keep = stem;
	if (stem >= RANDOM) {
		while (keep > 0 && name[keep - 1] != '-' && name[keep - 1] != '_')
			keep--;
		keep = keep > 0 ? keep : stem - RANDOM;
	}
	put_plain(to, name, keep);
	if (keep < stem)
		(void)fputc('*', to);
	put_plain(to, name + stem, length - stem);
	return keep < stem;
}

static bool put_temporary(FILE *to, const char *name, size_t length)
{
	size_t stem = length - extension_length(name, length);
	size_t keep = 3;

	if (is_trial(name, length)) {
		for (size_t i = 0; i < length; i++)
			(void)fputc('?', to);
		return true;
	}
	if (stem <= 3 || strncmp(name, "tmp", 3) != 0)
		return put_random(to, name, length) || put_unclear(to, name, length);
	while (keep < stem && (name[keep] == '.' || name[keep] == '-'))
		keep++;
	put_plain(to, name, keep);
	(void)fputc('*', to);
	put_plain(to, name + stem, length - stem);
	return true;
}

char *learn_name(const char *name, size_t length, enum learn_name_kind kind, bool *ret_wild)
{
	char *pattern = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&pattern, &size);

	if (!to)
		return NULL;
	*ret_wild = false;
	if (kind == LEARN_NAME_TEMPORARY)
		*ret_wild = put_temporary(to, name, length);
	else if (kind == LEARN_NAME_USUAL)
		*ret_wild = put_usual(to, name, length);
	else
		put_plain(to, name, length);
	(void)text_close(to, &pattern);
	return pattern;
}

bool learn_name_is_temporary(const char *folder, size_t length)
{
	static const char *const folders[] = { "/tmp", "/var/tmp", "/dev/shm" };
	static const char user[] = "/run/user/";

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (strlen(folders[i]) == length && memcmp(folders[i], folder, length) == 0)
			return true;
	}
	return length > sizeof(user) - 1 && strncmp(folder, user, sizeof(user) - 1) == 0 &&
	       !memchr(folder + sizeof(user) - 1, '/', length - (sizeof(user) - 1));
}
