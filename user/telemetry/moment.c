/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading is strict: a text that is a time only in part is none, so that nobody searches in a period
 * that was not meant.
 */
#include "telemetry/moment.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND_NS 1000000000LL
/* Years that fit into nanoseconds of 64 bits with room to spare. */
#define YEAR_MIN 1970
#define YEAR_MAX 2200

__s64 moment_now(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* Read @digits digits at *@at, which moves behind them. */
static bool read_digits(const char **at, int digits, int *ret_number)
{
	int number = 0;

	for (int i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)(*at)[i]))
			return false;
		number = number * 10 + ((*at)[i] - '0');
	}
	*at += digits;
	*ret_number = number;
	return true;
}

static bool take(const char **at, char letter)
{
	if (**at != letter)
		return false;
	(*at)++;
	return true;
}

/* "14:00", "14:00:30", "14:00:30.25". */
static bool read_clock(const char **at, struct tm *parts, long *ret_ns)
{
	long unit = SECOND_NS / 10;

	*ret_ns = 0;
	parts->tm_sec = 0;
	if (!read_digits(at, 2, &parts->tm_hour) || !take(at, ':') ||
	    !read_digits(at, 2, &parts->tm_min))
		return false;
	if (take(at, ':')) {
		if (!read_digits(at, 2, &parts->tm_sec))
			return false;
		if (take(at, '.')) {
			if (!isdigit((unsigned char)**at))
				return false;
			for (; isdigit((unsigned char)**at); (*at)++, unit /= 10)
				*ret_ns += (**at - '0') * unit;
		}
	}
	return parts->tm_hour < 24 && parts->tm_min < 60 && parts->tm_sec < 61;
}

static bool read_date(const char **at, struct tm *parts)
{
	if (!read_digits(at, 4, &parts->tm_year) || !take(at, '-') ||
	    !read_digits(at, 2, &parts->tm_mon) || !take(at, '-') ||
	    !read_digits(at, 2, &parts->tm_mday))
		return false;
	if (parts->tm_year < YEAR_MIN || parts->tm_year > YEAR_MAX || parts->tm_mon < 1 ||
	    parts->tm_mon > 12 || parts->tm_mday < 1 || parts->tm_mday > 31)
		return false;
	parts->tm_year -= 1900;
	parts->tm_mon--;
	return true;
}

/* "Z", "+01:00"; *@ret_zoned tells whether there was one. */
static bool read_zone(const char **at, bool *ret_zoned, long *ret_seconds)
{
	int hours;
	int minutes;
	char sign = **at;

	*ret_seconds = 0;
	*ret_zoned = sign == 'Z' || sign == 'z' || sign == '+' || sign == '-';
	if (!*ret_zoned)
		return true;
	(*at)++;
	if (sign == 'Z' || sign == 'z')
		return true;
	if (!read_digits(at, 2, &hours) || !take(at, ':') || !read_digits(at, 2, &minutes) ||
	    hours > 23 || minutes > 59)
		return false;
	*ret_seconds = (hours * 60L + minutes) * (sign == '-' ? -60L : 60L);
	return true;
}

/* The time of @parts; 31 February is none. */
static int settle(struct tm *parts, bool zoned, time_t *ret_when)
{
	struct tm wanted = *parts;
	time_t when;

	parts->tm_isdst = -1;
	when = zoned ? timegm(parts) : mktime(parts);
	if (when < 0 || parts->tm_mday != wanted.tm_mday || parts->tm_mon != wanted.tm_mon)
		return -EINVAL;
	*ret_when = when;
	return 0;
}

static int parse_date(const char *text, __s64 *ret_ns)
{
	const char *at = text;
	struct tm parts = { 0 };
	bool zoned = false;
	long offset = 0;
	long ns = 0;
	time_t when;

	if (!read_date(&at, &parts))
		return -EINVAL;
	if (*at && (!(take(&at, 'T') || take(&at, 't') || take(&at, ' ')) ||
		    !read_clock(&at, &parts, &ns) || !read_zone(&at, &zoned, &offset)))
		return -EINVAL;
	if (*at || settle(&parts, zoned, &when))
		return -EINVAL;
	*ret_ns = (when - offset) * SECOND_NS + ns;
	return 0;
}

/* A time of day of today, or of @days before: "", "14:00". */
static int parse_day(const char *text, int days, __s64 now_ns, __s64 *ret_ns)
{
	time_t now = now_ns / SECOND_NS;
	struct tm parts = { 0 };
	long ns = 0;
	time_t when;

	if (!localtime_r(&now, &parts))
		return -EINVAL;
	parts.tm_mday -= days;
	parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
	if (*text && !read_clock(&text, &parts, &ns))
		return -EINVAL;
	if (*text)
		return -EINVAL;
	parts.tm_isdst = -1;
	when = mktime(&parts);
	if (when < 0)
		return -EINVAL;
	*ret_ns = when * SECOND_NS + ns;
	return 0;
}

static __s64 unit_of(char letter)
{
	switch (letter) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 604800;
	default:
		return 0;
	}
}

/* "2h": that long ago. */
static int parse_age(const char *text, __s64 now_ns, __s64 *ret_ns)
{
	__s64 number = 0;
	__s64 unit;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		number = number * 10 + (*text - '0');
		if (number > 1000000000)
			return -EINVAL;
	}
	unit = unit_of(*text);
	if (!unit || text[1] || number * unit > now_ns / SECOND_NS)
		return -EINVAL;
	*ret_ns = now_ns - number * unit * SECOND_NS;
	return 0;
}

/* Is @text the word @word, alone or with a blank and more behind it? *@ret_rest is what follows. */
static bool begins_with(const char *text, const char *word, const char **ret_rest)
{
	size_t length = strlen(word);

	if (strncmp(text, word, length) != 0 || (text[length] && text[length] != ' '))
		return false;
	*ret_rest = text[length] ? text + length + 1 : text + length;
	return *ret_rest == text + length || **ret_rest;
}

int moment_parse(const char *text, __s64 now_ns, __s64 *ret_ns)
{
	const char *rest;

	if (strcmp(text, "now") == 0) {
		*ret_ns = now_ns;
		return 0;
	}
	if (begins_with(text, "today", &rest))
		return parse_day(rest, 0, now_ns, ret_ns);
	if (begins_with(text, "yesterday", &rest))
		return parse_day(rest, 1, now_ns, ret_ns);
	if (strlen(text) > 2 && text[2] == ':')
		return parse_day(text, 0, now_ns, ret_ns);
	if (strlen(text) > 4 && text[4] == '-')
		return parse_date(text, ret_ns);
	return parse_age(text, now_ns, ret_ns);
}

const char *moment_text(__s64 ns, char text[MOMENT_TEXT_SIZE])
{
	time_t when = ns / SECOND_NS;
	struct tm parts = { 0 };
	size_t length;

	(void)gmtime_r(&when, &parts);
	length = strftime(text, MOMENT_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(text + length, MOMENT_TEXT_SIZE - length, ".%09lldZ",
		       (long long)(ns % SECOND_NS));
	return text;
}
