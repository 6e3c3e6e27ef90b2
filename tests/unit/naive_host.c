/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What host patterns mean, label by label, and the IPv4 address that an IPv6 one leads to.
 */
#include <string.h>

#include "naive.h"

/* The part of @name that has as many labels as @suffix, or NULL: it has fewer. */
static const char *last_labels(const char *name, const char *suffix)
{
	int dots = 0;

	for (const char *at = name; *at; at++)
		dots += *at == '.';
	for (const char *at = suffix; *at; at++)
		dots -= *at == '.';
	if (dots < 0)
		return NULL;
	for (; dots; dots--)
		name = strchr(name, '.') + 1;
	return name;
}

bool naive_host(const char *pattern, const char *name, enum naive_fault fault)
{
	bool itself = pattern[0] != '*' || pattern[1] == '*' || fault == NAIVE_HOST_ITSELF;
	bool below = pattern[0] == '*';
	const char *suffix = pattern + strspn(pattern, "*");
	const char *last;

	suffix += below && *suffix == '.';
	if (below && !*suffix)
		return *name;
	if (fault == NAIVE_HOST_SUFFIX && below)
		return strlen(name) > strlen(suffix) &&
		       strcmp(name + strlen(name) - strlen(suffix), suffix) == 0;
	last = last_labels(name, suffix);
	if (!last || strcmp(last, suffix) != 0)
		return false;
	return last == name ? itself : below;
}

bool naive_embedded(const __u8 address[16], __u8 ret_v4[16])
{
	static const __u8 nat64[12] = { 0, 0x64, 0xff, 0x9b };
	static const __u8 zero[15];
	static const __u8 six_to_four[2] = { 0x20, 0x02 };
	const __u8 *from = NULL;

	if (memcmp(address, nat64, 12) == 0)
		from = address + 12;
	else if (memcmp(address, six_to_four, 2) == 0)
		from = address + 2;
	else if (memcmp(address, zero, 12) == 0 &&
		 (memcmp(address, zero, 15) != 0 || address[15] > 1))
		from = address + 12;
	if (!from)
		return false;
	memset(ret_v4, 0, 10);
	memset(ret_v4 + 10, 0xff, 2);
	memcpy(ret_v4 + 12, from, 4);
	return true;
}
