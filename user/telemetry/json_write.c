/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most bytes of records are plain ASCII and are copied in runs.
 */
#include "telemetry/json_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"

/* A record, as a rule. */
#define FIRST_ROOM 2048U

static const char digits[] = "0123456789abcdef";

/* Room for @size more bytes; NULL: there is no memory. They are counted by the caller. */
static char *reserve(struct json_writer *to, size_t size)
{
	size_t room = to->room ? to->room : FIRST_ROOM;
	char *bytes;

	if (to->failed)
		return NULL;
	if (size <= to->room - to->used)
		return to->bytes + to->used;
	while (room - to->used < size)
		room *= 2;
	bytes = realloc(to->bytes, room);
	if (!bytes) {
		to->failed = true;
		return NULL;
	}
	to->bytes = bytes;
	to->room = room;
	return bytes + to->used;
}

static void put(struct json_writer *to, const char *bytes, size_t length)
{
	char *at = reserve(to, length);

	if (!at)
		return;
	memcpy(at, bytes, length);
	to->used += length;
}

static void put_byte(struct json_writer *to, char byte)
{
	put(to, &byte, 1);
}

static void begin(struct json_writer *to, const char *key)
{
	if (!to->first && to->used)
		put_byte(to, ',');
	to->first = false;
	if (!key)
		return;
	put_byte(to, '"');
	put(to, key, strlen(key));
	put(to, "\":", 2);
}

void json_write_open(struct json_writer *to, const char *key, char bracket)
{
	begin(to, key);
	put_byte(to, bracket);
	to->first = true;
}

void json_write_close(struct json_writer *to, char bracket)
{
	put_byte(to, bracket);
	to->first = false;
}

static void put_number(struct json_writer *to, __u64 number)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = digits[number % 10];
		number /= 10;
	} while (number);
	put(to, text + at, sizeof(text) - at);
}

void json_write_number(struct json_writer *to, const char *key, __u64 number)
{
	begin(to, key);
	put_number(to, number);
}

void json_write_signed(struct json_writer *to, const char *key, __s64 number)
{
	begin(to, key);
	if (number < 0)
		put_byte(to, '-');
	put_number(to, number < 0 ? -(__u64)number : (__u64)number);
}

void json_write_bool(struct json_writer *to, const char *key, bool value)
{
	begin(to, key);
	put(to, value ? "true" : "false", value ? 4 : 5);
}

/* Bytes that neither JSON nor escape.h changes. */
static size_t plain_run(const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && bytes[at] >= 0x20 && bytes[at] < 0x7f && bytes[at] != '"' &&
	       bytes[at] != '\\')
		at++;
	return at;
}

/* One byte that is not shown: escape.h's form, whose backslash JSON doubles. */
static void put_escaped(struct json_writer *to, unsigned char byte)
{
	static const char bytes[] = "\a\b\t\n\v\f\r";
	static const char letters[] = "abtnvfr";
	const char *letter = byte ? strchr(bytes, byte) : NULL;

	put(to, "\\\\", 2);
	if (letter) {
		put_byte(to, letters[letter - bytes]);
	} else {
		put_byte(to, 'x');
		put_byte(to, digits[byte >> 4]);
		put_byte(to, digits[byte & 15]);
	}
}

/* The character at @bytes. Returns how long it is. */
static size_t put_character(struct json_writer *to, const char *bytes, size_t length)
{
	size_t shown = escape_plain(bytes, length);
	size_t size = shown ? shown : escape_utf8(bytes, length, NULL);

	if (*bytes == '"')
		put(to, "\\\"", 2);
	else if (*bytes == '\\')
		put(to, "\\\\\\\\", 4);
	else if (shown)
		put(to, bytes, shown);
	for (size_t i = 0; !shown && i < (size ? size : 1); i++)
		put_escaped(to, (unsigned char)bytes[i]);
	return size ? size : 1;
}

void json_write_bytes(struct json_writer *to, const char *key, const char *bytes, size_t length)
{
	begin(to, key);
	put_byte(to, '"');
	for (size_t at = 0; at < length;) {
		size_t run = plain_run(bytes + at, length - at);

		if (run)
			put(to, bytes + at, run);
		at += run;
		if (at < length)
			at += put_character(to, bytes + at, length - at);
	}
	put_byte(to, '"');
}

void json_write_text(struct json_writer *to, const char *key, const char *text)
{
	json_write_bytes(to, key, text, strlen(text));
}

void json_write_plain(struct json_writer *to, const char *key, const char *text)
{
	begin(to, key);
	put_byte(to, '"');
	while (*text) {
		size_t run = strcspn(text, "\"\\");

		put(to, text, run);
		text += run;
		if (*text) {
			put_byte(to, '\\');
			put_byte(to, *text++);
		}
	}
	put_byte(to, '"');
}

void json_write_hex(struct json_writer *to, const char *key, const char *bytes, size_t length)
{
	begin(to, key);
	put_byte(to, '"');
	for (size_t i = 0; i < length; i++) {
		put_byte(to, digits[(unsigned char)bytes[i] >> 4]);
		put_byte(to, digits[bytes[i] & 15]);
	}
	put_byte(to, '"');
}

/* @number in @count digits. */
static void write_digits(char *at, unsigned long number, int count)
{
	while (count--) {
		at[count] = digits[number % 10];
		number /= 10;
	}
}

void json_write_time(struct json_writer *to, const char *key, __s64 seconds, long ns)
{
	char text[] = "0000-00-00T00:00:00.000000000Z";
	const time_t when = (time_t)seconds;
	struct tm parts = { 0 };

	(void)gmtime_r(&when, &parts);
	write_digits(text, (unsigned long)parts.tm_year + 1900, 4);
	write_digits(text + 5, (unsigned long)parts.tm_mon + 1, 2);
	write_digits(text + 8, (unsigned long)parts.tm_mday, 2);
	write_digits(text + 11, (unsigned long)parts.tm_hour, 2);
	write_digits(text + 14, (unsigned long)parts.tm_min, 2);
	write_digits(text + 17, (unsigned long)parts.tm_sec, 2);
	write_digits(text + 20, (unsigned long)ns, 9);
	begin(to, key);
	put_byte(to, '"');
	put(to, text, sizeof(text) - 1);
	put_byte(to, '"');
}

int json_write_end(struct json_writer *to, char **ret_line)
{
	put(to, "\n", 2);
	if (to->failed) {
		json_write_reset(to);
		return -ENOMEM;
	}
	*ret_line = to->bytes;
	*to = (struct json_writer){ 0 };
	return 0;
}

void json_write_reset(struct json_writer *to)
{
	free(to->bytes);
	*to = (struct json_writer){ 0 };
}
