/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON written straight into a buffer that grows: for records, of which there are many a second. A writer
 * that ran out of memory writes nothing more, and says so at its end.
 */
#ifndef PICKET_TELEMETRY_JSON_WRITE_H
#define PICKET_TELEMETRY_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/** A text under construction. Zero-initialise; json_write_end() or json_write_reset() frees. */
struct json_writer {
	char *bytes; /* owned */
	size_t used;
	size_t room;
	bool failed; /* out of memory */
	bool first; /* nothing stands in the innermost object or list yet */
};

/** Begin and end an object or a list: the value of @key, or an element (@key NULL). */
void json_write_open(struct json_writer *to, const char *key, char bracket);
void json_write_close(struct json_writer *to, char bracket);

/** A value of @key, or an element (@key NULL): a number. */
void json_write_number(struct json_writer *to, const char *key, __u64 number);
/** The same: a number that may be negative. */
void json_write_signed(struct json_writer *to, const char *key, __s64 number);
/** The same: true or false. */
void json_write_bool(struct json_writer *to, const char *key, bool value);
/** The same: bytes that may be any, escaped as base/escape.h says: valid UTF-8, reversible. */
void json_write_bytes(struct json_writer *to, const char *key, const char *bytes, size_t length);
/** The same: a text, NUL-terminated. */
void json_write_text(struct json_writer *to, const char *key, const char *text);
/** The same: a text as it is, which is valid UTF-8 and shown as it stands (escape_is_plain()). */
void json_write_plain(struct json_writer *to, const char *key, const char *text);
/** The same: the bytes in hexadecimal. */
void json_write_hex(struct json_writer *to, const char *key, const char *bytes, size_t length);
/** The same: RFC 3339, UTC, nanoseconds, of seconds since the epoch. */
void json_write_time(struct json_writer *to, const char *key, __s64 seconds, long ns);

/**
 * Store the text, a newline behind it, as a malloc'ed string, and make the writer empty. Returns 0 or
 * -ENOMEM.
 */
int json_write_end(struct json_writer *to, char **ret_line);

/** Free what there is and make it empty. */
void json_write_reset(struct json_writer *to);

#endif
