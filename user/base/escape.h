/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text from others made safe to show: whatever bytes a file name has, the result is one line of
 * valid UTF-8 that a terminal shows as it stands, and from which the bytes can be read back.
 *
 * Escaped, C-style: control bytes (\n \t ... or \xNN), DEL, the escape sign itself (\\), bytes that
 * are not valid UTF-8 (\xNN each), and, byte by byte (\xNN), the characters that hide or reorder
 * others: C1 controls, bidirectional marks, overrides and isolates, zero-width characters, line and
 * paragraph separators, tags, non-characters.
 */
#ifndef PICKET_BASE_ESCAPE_H
#define PICKET_BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Write the escaped form of @length bytes at @bytes; @also (may be 0) is escaped like a backslash. */
void escape_write(FILE *to, const char *bytes, size_t length, char also);

/** The same as a malloc'ed string, or NULL when out of memory. */
char *escape_string(const char *bytes, size_t length, char also);

/** The bytes that an escaped text stands for. Returns 0; -EINVAL for an ill-formed escape; -ENOMEM. */
int escape_undo(const char *text, char **ret_bytes, size_t *ret_length);

/**
 * Bytes of the UTF-8 character at @bytes, of at most @length bytes; 0 when they are not valid
 * (overlong, surrogate, above U+10FFFF, cut). *@ret_code (may be NULL) is the code point.
 */
size_t escape_utf8(const char *bytes, size_t length, unsigned int *ret_code);

/**
 * Bytes of the character at @bytes when it is shown as it is (the backslash too); 0 when it is
 * escaped because it is invalid, a control or deceptive.
 */
size_t escape_plain(const char *bytes, size_t length);

/** True when all @length bytes are shown as they are (escape_plain()). */
bool escape_is_plain(const char *bytes, size_t length);

/** True when all @length bytes are valid UTF-8. */
bool escape_is_utf8(const char *bytes, size_t length);

#endif
