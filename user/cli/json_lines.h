/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A JSON value for people: a line each for numbers, words and truths, `key.key  value`.
 */
#ifndef PICKET_CLI_JSON_LINES_H
#define PICKET_CLI_JSON_LINES_H

#include <jansson.h>
#include <stdio.h>

/** Write @value to @to, each line behind @indent; elements of lists by number from 1. */
void json_lines_print(const json_t *value, const char *indent, FILE *to);

#endif
