/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers with units; address_number() has the digits.
 */
#include "policy/numbers.h"

#include <string.h>

#include "policy/address_parts.h"

unsigned int numbers_before(const struct node *value, const char *unit, unsigned int max)
{
	size_t length = strlen(unit);
	unsigned int number = 0;

	if (value->length <= length || strcmp(value->text + value->length - length, unit) != 0 ||
	    address_number(value->text, value->length - length, max, &number) < 0)
		return 0;
	return number;
}

unsigned int numbers_seconds(const struct node *value, unsigned int max)
{
	static const struct {
		const char *name;
		unsigned int seconds;
	} units[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 } };
	unsigned int seconds = 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units) && !seconds; i++)
		seconds = numbers_before(value, units[i].name, max / units[i].seconds) *
			  units[i].seconds;
	return seconds;
}
