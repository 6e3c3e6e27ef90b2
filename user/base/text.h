/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small questions about text for people: how wide a character is on a terminal, whether it can be
 * seen at all, and which known word an unknown one was meant to be.
 */
#ifndef PICKET_BASE_TEXT_H
#define PICKET_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Terminal columns of a printable code point: 0 (combining), 1 or 2 (wide). */
unsigned int text_width(unsigned int code);

/**
 * True for code points that a reader cannot see or that make a line read otherwise than it is:
 * control characters, direction marks and overrides, zero-width characters, line separators,
 * byte order marks, tags and non-characters. The newline is one of them.
 */
bool text_is_hidden(unsigned int code);

/**
 * The one of @count @names that @word is most likely a mistyping of (case does not count), or NULL
 * when none is near. NULL entries are passed over.
 */
const char *text_nearest(const char *word, const char *const *names, size_t count);

/**
 * Close a stream of open_memstream() whose text is *@text. Returns 0, or -ENOMEM when any of it is
 * lost; then *@text is freed and NULL. (fclose() alone does not tell.)
 */
int text_close(FILE *to, char **text);

#endif
