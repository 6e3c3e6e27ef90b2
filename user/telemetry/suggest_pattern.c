/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a policy spells one object: escaping, and what no policy text can hold.
 */
#include "telemetry/suggest_pattern.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"

/* Bytes with a meaning in path globs; in words of commands a blank has one too. */
static const char glob_bytes[] = "*?[]{},\\";
static const char word_bytes[] = "*?[]{},\\ ";

/*
 * Write the pattern that matches @bytes: @special bytes escaped, '$' doubled for the variables. A
 * byte that policy text may not hold (control, invisible, not UTF-8) becomes '?', which is one byte
 * but '/'. Returns true when there was one.
 */
static bool put_pattern(FILE *to, const char *bytes, size_t length, const char *special)
{
	bool blurred = false;

	while (length > 0) {
		size_t size = escape_plain(bytes, length);

		if (size == 0) {
			(void)fputc('?', to);
			blurred = true;
		} else if (*bytes == '$') {
			(void)fputc('$', to);
		} else if (strchr(special, *bytes)) {
			(void)fputc('\\', to);
		}
		(void)fwrite(bytes, 1, size, to);
		bytes += size ? size : 1;
		length -= size ? size : 1;
	}
	return blurred;
}

/* The words behind the program; up to an empty one, which no pattern can spell. */
static bool put_words(FILE *to, const struct event_path *words)
{
	const char *at = words->bytes;
	size_t left = words->length;
	bool blurred = false;

	while (left > 0 && *at) {
		const char *nul = memchr(at, '\0', left);
		size_t length = nul ? (size_t)(nul - at) : left;

		(void)fputc(' ', to);
		/* Three dots alone stand for any words. */
		if (length == 3 && memcmp(at, "...", 3) == 0)
			(void)fputc('\\', to);
		blurred = put_pattern(to, at, length, word_bytes) || blurred;
		left -= length + (nul ? 1 : 0);
		at += length + (nul ? 1 : 0);
	}
	return blurred;
}

int suggest_path_pattern(const struct event_path *path, const struct event_path *words,
			 struct suggest_need *need)
{
	const char *special = need->section == PK_SECTION_EXEC ? word_bytes : glob_bytes;
	size_t skip = need->section == PK_SECTION_UNIX ? 1 : 0; /* "/NAME" is NAME */
	size_t size = 0;
	char *text = NULL;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return -ENOMEM;
	need->blurred = put_pattern(to, path->bytes + skip, path->length - skip, special);
	if (words)
		need->blurred = put_words(to, words) || need->blurred;
	if (fclose(to) != 0) {
		free(text);
		return -ENOMEM;
	}
	need->pattern = text;
	return 0;
}

int suggest_address_pattern(const struct pk_event *head, struct suggest_need *need)
{
	static const __u8 any[16] = { 0 };
	static const __u8 any_v4[16] = { [10] = 0xff, [11] = 0xff };
	static const __u8 loopback[16] = { [15] = 1 };
	static const __u8 loopback_v4[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };
	const __u8 *address = head->address;
	char text[EVENT_ADDRESS_SIZE];
	char port[8] = "*";

	if (memcmp(address, any, sizeof(any)) == 0)
		address = loopback;
	else if (memcmp(address, any_v4, sizeof(any_v4)) == 0)
		address = loopback_v4;
	if (head->port)
		(void)snprintf(port, sizeof(port), "%u", head->port);
	event_address(address, text);
	if (asprintf(&need->pattern, strchr(text, ':') ? "[%s]:%s" : "%s:%s", text, port) < 0) {
		need->pattern = NULL;
		return -ENOMEM;
	}
	return 0;
}

int suggest_host_pattern(const struct event_path *host, __u32 port, struct suggest_need *need)
{
	char text[8] = "*";

	if (port)
		(void)snprintf(text, sizeof(text), "%u", port & 0xffff);
	if (asprintf(&need->pattern, "%.*s:%s", (int)host->length, host->bytes, text) < 0) {
		need->pattern = NULL;
		return -ENOMEM;
	}
	need->host = true;
	return 0;
}
