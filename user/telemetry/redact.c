/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is hidden is marked by the finders (redact_words.c, redact_find.c, redact_keys.c); here the marks
 * become text.
 */
#include "telemetry/redact.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "telemetry/redact_scan.h"

const struct redact_settings redact_standard = { .defaults = true };
const struct redact_settings redact_nothing = { 0 };

void redacted_reset(struct redacted *text)
{
	mem_free_ptr(&text->bytes);
	*text = (struct redacted){ 0 };
}

void scan_hide(struct scan *scan, struct span span)
{
	for (size_t i = span.start; i < span.end && i < scan->size; i++)
		scan->hide[i] = true;
}

bool scan_glob(const char *glob, const char *bytes, size_t length, size_t *ret_fixed)
{
	size_t fixed = strcspn(glob, "*?");
	size_t at = 0;
	size_t mark = 0;
	const char *star = NULL;

	*ret_fixed = glob[fixed] ? fixed : SIZE_MAX;
	/* On a mismatch only the last star can take more: never more than length times length of the glob. */
	while (at < length) {
		if (*glob == '*') {
			star = ++glob;
			mark = at;
		} else if (*glob == '?' || (*glob && *glob == bytes[at])) {
			glob++;
			at++;
		} else if (star) {
			glob = star;
			at = ++mark;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

/* The bytes that are shown, and the mark once for each part that is not. */
static int collect(const struct scan *scan, struct redacted *ret)
{
	const size_t mark = strlen(REDACT_MARK);
	size_t parts = 0;
	size_t used = 0;
	char *to;

	for (size_t i = 0; i < scan->size; i++)
		parts += scan->hide[i] && (i == 0 || !scan->hide[i - 1]);
	to = malloc(scan->size + parts * mark + 1);
	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < scan->size; i++) {
		if (!scan->hide[i]) {
			to[used++] = scan->bytes[i];
		} else if (i == 0 || !scan->hide[i - 1]) {
			memcpy(to + used, REDACT_MARK, mark);
			used += mark;
		}
	}
	to[used] = '\0';
	*ret = (struct redacted){ .bytes = to, .length = used, .hidden = parts > 0 };
	return 0;
}

static int scan_open(struct scan *scan, const struct redact_settings *settings, const char *bytes,
		     size_t size)
{
	*scan = (struct scan){
		.settings = settings ? settings : &redact_standard,
		.bytes = bytes,
		.size = size,
		.hide = calloc(size + 1, sizeof(bool)),
	};
	return scan->hide ? 0 : -ENOMEM;
}

static int scan_close(struct scan *scan, struct redacted *ret)
{
	int r = collect(scan, ret);

	free(scan->hide);
	return r;
}

int redact_words(const struct redact_settings *settings, const char *words, size_t size,
		 struct redacted *ret)
{
	struct words state = { 0 };
	struct scan scan;
	int r = scan_open(&scan, settings, words, size);

	if (r < 0)
		return r;
	for (size_t at = 0; at < size;) {
		const char *nul = memchr(words + at, '\0', size - at);
		size_t end = nul ? (size_t)(nul - words) : size;

		scan.cut = !nul;
		scan_word(&scan, &state, (struct span){ at, end });
		at = end + 1;
	}
	return scan_close(&scan, ret);
}

int redact_text(const struct redact_settings *settings, const char *bytes, size_t length,
		struct redacted *ret)
{
	struct scan scan;
	int r = scan_open(&scan, settings, bytes, length);

	if (r < 0)
		return r;
	scan_script(&scan, (struct span){ 0, length });
	return scan_close(&scan, ret);
}

int redact_path(const struct redact_settings *settings, const char *bytes, size_t length,
		struct redacted *ret)
{
	struct span all = { 0, length };
	struct scan scan;
	int r = scan_open(&scan, settings, bytes, length);

	if (r < 0)
		return r;
	for (size_t i = 0; i < scan.settings->paths_count; i++) {
		size_t fixed;

		if (!scan_glob(scan.settings->paths[i], bytes, length, &fixed))
			continue;
		scan_hide(&scan, (struct span){ fixed == SIZE_MAX ? 0 : fixed, length });
	}
	if (scan.settings->defaults)
		scan_keys(&scan, all);
	return scan_close(&scan, ret);
}
