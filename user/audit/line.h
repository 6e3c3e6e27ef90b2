/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record of the audit trail as bytes: one line of JSON, of the schema "picket.audit/2".
 *
 *   schema     "picket.audit/2"
 *   seq        1, 2, 3, ...
 *   time       RFC 3339, UTC, nanoseconds
 *   what       "start", "approved", ...; what follows is its own
 *   prev       SHA-256 of the line before, its newline included, hexadecimal; of the first one 64 times 0
 *   signature  of checkpoints, where there is a key: Ed25519, hexadecimal, over all bytes of the line
 *              before `,"signature"`
 *
 * So `sed -n 7p FILE | sha256sum` is what line 8 has as `prev`.
 */
#ifndef PICKET_AUDIT_LINE_H
#define PICKET_AUDIT_LINE_H

#include <jansson.h>
#include <stdbool.h>

#include <linux/types.h>

#include "sign/key.h"

#define AUDIT_SCHEMA "picket.audit/2"
/** Most bytes of a line. */
#define AUDIT_LINE_MAX (1U << 20)

/** How far a trail has got: its last record and the SHA-256 of that line. */
struct audit_head {
	__u64 seq; /* 0: there is none yet */
	char hash[SIGN_HEX];
};

/** The head of a trail that has no record. */
#define AUDIT_HEAD_NONE                                                                            \
	{                                                                                          \
		.hash = "0000000000000000000000000000000000000000000000000000000000000000"         \
	}

/** A line read. */
struct audit_line {
	json_t *object; /* owned */
	__u64 seq;
	const char *what; /* borrowed of the object */
	const char *prev; /* borrowed of the object */
	char hash[SIGN_HEX];
};

/** SHA-256 in hexadecimal. Returns 0 or -EIO. */
int audit_hash(const void *bytes, size_t size, char ret_hash[SIGN_HEX]);

/**
 * The line, newline included, of the record that follows @head: @what and the keys of @details
 * (borrowed, may be NULL). Returns it malloc'ed, or NULL: no memory.
 */
char *audit_line_make(const struct audit_head *head, const char *what, const json_t *details);

/** Add the signature by @key to a line of audit_line_make(), which is replaced. 0, -ENOMEM or -EIO. */
int audit_line_sign(char **line, const struct sign_key *key);

/**
 * Read a line of @size bytes, newline included. Returns 0 (caller resets), or -EINVAL with *@ret_why
 * (static): it is no record.
 */
int audit_line_parse(const char *bytes, size_t size, struct audit_line *ret_line,
		     const char **ret_why);

/** The signature of the line, or NULL: it has none. */
const char *audit_line_signature(const struct audit_line *line);

/** Is the line, of @size bytes, signed by one of @count @keys? Returns 0, or -EBADMSG. */
int audit_line_verify(const char *bytes, size_t size, const struct sign_key *keys, size_t count);

/** Free what it owns and make it empty. */
void audit_line_reset(struct audit_line *line);

#endif
