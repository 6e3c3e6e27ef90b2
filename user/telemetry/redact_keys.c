/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys that can be told by their look.
 */
#include <ctype.h>
#include <string.h>

#include "telemetry/redact_scan.h"

/** What keys of one kind begin with and how long they are at least. */
struct shape {
	const char *prefix;
	unsigned int least; /* bytes behind the prefix */
	bool digit; /* one of them is a digit: the prefix alone is an ordinary word's */
};

static const struct shape shapes[] = {
	{ "AKIA", 16, false },
	{ "ASIA", 16, false },
	{ "ABIA", 16, false },
	{ "ACCA", 16, false },
	{ "ghp_", 16, false },
	{ "gho_", 16, false },
	{ "ghu_", 16, false },
	{ "ghs_", 16, false },
	{ "ghr_", 16, false },
	{ "github_pat_", 16, false },
	{ "glpat-", 16, false },
	{ "sk-ant-", 12, false },
	{ "sk-proj-", 12, true },
	{ "sk-svcacct-", 12, true },
	{ "sk-", 20, true },
	{ "xoxa-", 8, true },
	{ "xoxb-", 8, true },
	{ "xoxe-", 8, true },
	{ "xoxe.", 8, true },
	{ "xoxp-", 8, true },
	{ "xoxr-", 8, true },
	{ "xoxs-", 8, true },
	{ "xapp-", 8, true },
	{ "AIza", 30, false },
	{ "ya29.", 16, false },
	{ "sk_live_", 10, false },
	{ "sk_test_", 10, false },
	{ "rk_live_", 10, false },
	{ "rk_test_", 10, false },
	{ "whsec_", 16, false },
	{ "npm_", 30, false },
	{ "pypi-", 30, false },
	{ "hf_", 20, false },
	{ "dop_v1_", 20, false },
	{ "dckr_pat_", 16, false },
	{ "SG.", 40, false },
	{ "AGE-SECRET-KEY-1", 10, false },
};

static const char slack_hook[] = "hooks.slack.com/services/";

static bool key_byte(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_' || byte == '-' || byte == '.';
}

static size_t key_end(const struct scan *scan, size_t at, size_t end)
{
	while (at < end && key_byte(scan->bytes[at]))
		at++;
	return at;
}

static bool begins(const struct scan *scan, struct span span, const char *prefix)
{
	size_t length = strlen(prefix);

	return span.end - span.start >= length &&
	       memcmp(scan->bytes + span.start, prefix, length) == 0;
}

/* How far one look goes, so that many looks at one long run stay few steps a byte. */
#define LOOK_MAX 256U

static size_t look_end(struct span span)
{
	return span.end - span.start < LOOK_MAX ? span.end : span.start + LOOK_MAX;
}

static bool has_digit(const struct scan *scan, struct span span)
{
	for (size_t i = span.start; i < look_end(span); i++) {
		if (isdigit((unsigned char)scan->bytes[i]))
			return true;
	}
	return false;
}

/* JSON web tokens: two parts that are JSON objects in base64, or a cut one. */
static bool is_web_token(const struct scan *scan, struct span run)
{
	if (!begins(scan, run, "eyJ") || run.end - run.start < 20)
		return false;
	return memchr(scan->bytes + run.start, '.', look_end(run) - run.start) ||
	       (scan->cut && run.end == scan->size);
}

/* Whether the run of bytes of keys is a key. One that may have been cut needs no length. */
static bool is_key(const struct scan *scan, struct span run)
{
	bool open = scan->cut && run.end == scan->size;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct span rest = { run.start, run.end };

		if (!begins(scan, run, shapes[i].prefix))
			continue;
		rest.start += strlen(shapes[i].prefix);
		if (open || (rest.end - rest.start >= shapes[i].least &&
			     (!shapes[i].digit || has_digit(scan, rest))))
			return true;
	}
	return is_web_token(scan, run);
}

/* What a shape, or a web token, begins with: most words do not, and are not compared. */
static bool may_begin(char byte)
{
	return byte && strchr("ASdeghnprswxy", byte);
}

/* Keys inside of a run: at its start, and behind each byte that is no letter and no digit. */
static void scan_run(struct scan *scan, struct span run)
{
	bool boundary = true;

	for (size_t at = run.start; at < run.end; at++) {
		if (boundary && may_begin(scan->bytes[at]) &&
		    is_key(scan, (struct span){ at, run.end })) {
			scan_hide(scan, (struct span){ at, run.end });
			return;
		}
		boundary = !isalnum((unsigned char)scan->bytes[at]);
	}
}

/* From "-----BEGIN ... PRIVATE KEY" to the end of the block, or of all. */
static void scan_pem(struct scan *scan, struct span span)
{
	static const char begin[] = "-----BEGIN ";
	static const char end[] = "-----END ";
	const char *bytes = scan->bytes;
	size_t at = span.start;

	while (at < span.end) {
		const char *found = memmem(bytes + at, span.end - at, begin, sizeof(begin) - 1);
		const char *last;
		size_t start = found ? (size_t)(found - bytes) : span.end;
		size_t head = span.end - start < 64 ? span.end - start : 64;

		if (!found)
			return;
		at = start + sizeof(begin) - 1;
		if (!memmem(found, head, "PRIVATE KEY", 11))
			continue;
		last = memmem(bytes + at, span.end - at, end, sizeof(end) - 1);
		at = last ? (size_t)(last - bytes) : span.end;
		scan_hide(scan, (struct span){ start, at });
	}
}

/* Where they post to is all that web hooks of Slack need to know. */
static void scan_hook(struct scan *scan, struct span span)
{
	const size_t length = sizeof(slack_hook) - 1;
	const char *bytes = scan->bytes;
	size_t at = span.start;

	while (at < span.end) {
		const char *found = memmem(bytes + at, span.end - at, slack_hook, length);
		size_t start = found ? (size_t)(found - bytes) + length : span.end;

		for (at = start; at < span.end && (key_byte(bytes[at]) || bytes[at] == '/'); at++)
			;
		scan_hide(scan, (struct span){ start, at });
	}
}

void scan_keys(struct scan *scan, struct span span)
{
	for (size_t at = span.start; at < span.end;) {
		size_t end = key_end(scan, at, span.end);

		if (end > at)
			scan_run(scan, (struct span){ at, end });
		at = end + 1;
	}
	scan_pem(scan, span);
	scan_hook(scan, span);
}
