/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit must be there: a bare number means minutes to some and seconds to others.
 */
#include "cli/duration.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE 60L
#define HOUR (60L * MINUTE)
#define DAY (24L * HOUR)

static long unit_of(char letter)
{
	switch (letter) {
	case 's':
		return 1;
	case 'm':
		return MINUTE;
	case 'h':
		return HOUR;
	case 'd':
		return DAY;
	default:
		return 0;
	}
}

int duration_parse(const char *text, long *ret_seconds)
{
	char *end;
	long number;
	long unit;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	number = strtol(text, &end, 10);
	unit = unit_of(end[0]);
	if (errno || !unit || end[1] || number < 1 || number > DURATION_MAX / unit)
		return -1;
	*ret_seconds = number * unit;
	return 0;
}

const char *duration_text(long seconds, char *text, size_t size)
{
	if (seconds < 2 * MINUTE)
		(void)snprintf(text, size, "%ld s", seconds < 0 ? 0 : seconds);
	else if (seconds < 2 * HOUR)
		(void)snprintf(text, size, "%ld min", seconds / MINUTE);
	else if (seconds < 2 * DAY)
		(void)snprintf(text, size, "%ld h", seconds / HOUR);
	else
		(void)snprintf(text, size, "%ld d", seconds / DAY);
	return text;
}
