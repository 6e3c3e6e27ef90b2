/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of an event made to fit a terminal. The act, who did it and what decided are parts with two
 * blanks between. What does not fit loses the process's parents, then the folders of the policy; then the
 * last part is shortened, and the others in their middle, so that all are still seen.
 */
#ifndef PICKET_CLI_FIT_H
#define PICKET_CLI_FIT_H

#include <stddef.h>
#include <stdio.h>

/**
 * Write @line (UTF-8, colours allowed, no newline) to @to in at most @width terminal columns; 0: whole. No
 * character and no escape sequence is cut; colours that it switches on are switched off by it.
 */
void fit_line(const char *line, size_t width, FILE *to);

#endif
