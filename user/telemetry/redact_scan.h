/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of redaction: the bytes, what of them is to be hidden, and the finders that mark it.
 */
#ifndef PICKET_TELEMETRY_REDACT_SCAN_H
#define PICKET_TELEMETRY_REDACT_SCAN_H

#include "telemetry/redact.h"

/** A text that is being looked through. */
struct scan {
	const struct redact_settings *settings;
	const char *bytes;
	size_t size;
	bool *hide; /* one for each byte; true: not shown */
	bool cut; /* the last word may go on: what might become a key is one */
};

/** Some bytes of the text, from `start` up to but without `end`. */
struct span {
	size_t start;
	size_t end;
};

/** Do not show these bytes. */
void scan_hide(struct scan *scan, struct span span);

/** Find secrets in the bytes of one word or one text, whatever stands around it. */
void scan_text(struct scan *scan, struct span span);

/** Find keys by their look: of clouds, forges and the like, web tokens, private keys. */
void scan_keys(struct scan *scan, struct span span);

/** True for names of what is secret: "password", "GITHUB_TOKEN", "x-api-key". */
bool scan_secret_name(const char *name, size_t length);

/** True for letters, digits and what else names of options and variables have. */
bool scan_name_byte(char byte);

/** The end of the name at @at. */
size_t scan_name_end(const struct scan *scan, size_t at, size_t end);

/** True when the bytes are @text, whatever the case. */
bool scan_is(const struct scan *scan, size_t at, size_t end, const char *text);

/** Words of a command: what options and settings say besides. Starts as {0} for each command. */
struct words {
	bool hide_next; /* the word is an option's value */
	unsigned int programs; /* rows of the table of programs that were named */
};

/** Look at one word of a command; its own text is looked through as well. */
void scan_word(struct scan *scan, struct words *words, struct span word);

/** The same for a line of a script. */
void scan_script(struct scan *scan, struct span span);

/**
 * Match all of the bytes with a glob. *@ret_fixed is how many bytes stand before the first wildcard, or
 * SIZE_MAX when there is none.
 */
bool scan_glob(const char *glob, const char *bytes, size_t length, size_t *ret_fixed);

#endif
