/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lengths of time on the command line and for people.
 */
#ifndef PICKET_CLI_DURATION_H
#define PICKET_CLI_DURATION_H

#include <stddef.h>

/** 30 days: what picketd grants at most. */
#define DURATION_MAX 2592000

/** Seconds of "90s", "10m", "2h", "1d". Returns 0, or -1 when @text is none of 1 s to DURATION_MAX. */
int duration_parse(const char *text, long *ret_seconds);

/** "90 s", "12 min", "3 h", "2 d" in @text; less than nothing is "0 s". Returns @text. */
const char *duration_text(long seconds, char *text, size_t size);

#endif
