/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers in the lines of /proc.
 */
#ifndef PICKET_ENGINE_PROC_LINE_H
#define PICKET_ENGINE_PROC_LINE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** The first number behind @key at the start of @line. Returns false when it is another line. */
static inline bool proc_line_value(const char *line, const char *key, unsigned long long *ret_value)
{
	size_t length = strlen(key);
	unsigned long long value;
	char *end;

	if (strncmp(line, key, length) != 0)
		return false;
	value = strtoull(line + length, &end, 10);
	if (end == line + length)
		return false;
	*ret_value = value;
	return true;
}

#endif
