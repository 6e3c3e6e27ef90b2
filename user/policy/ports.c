/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of ports and port ranges.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/address_parts.h"

#define PORT_MAX 65535U

int address_number(const char *text, size_t length, unsigned int max, unsigned int *ret_number)
{
	unsigned int number = 0;

	if (length == 0 || (length > 1 && *text == '0'))
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		if (number <= max)
			number = number * 10 + (unsigned int)(text[i] - '0');
	}
	if (number > max)
		return -ERANGE;
	*ret_number = number;
	return 0;
}

static int read_port(const struct address_part *part, __u16 *ret_port,
		     struct address_error *ret_error)
{
	unsigned int number = 0;
	int r = address_number(part->text, part->length, PORT_MAX, &number);

	if (r == -ERANGE)
		return address_refuse(ret_error, part->at, part->length, NULL,
				      "the port %.*s is over 65535",
				      part->length > 20 ? 20 : (int)part->length, part->text);
	if (r < 0)
		return address_refuse(ret_error, part->at, part->length,
				      "ports are written '443', '8000-8100', '22,443' or '*'",
				      "'%.*s' is not a port",
				      part->length > 40 ? 40 : (int)part->length, part->text);
	if (number == 0)
		return address_refuse(ret_error, part->at, part->length,
				      "for any port write '*' or leave the ports away",
				      "0 is not a port that can be connected to");
	*ret_port = (__u16)number;
	return 0;
}

static int read_range(const struct address_part *part, struct policy_ports *ret_ports,
		      struct address_error *ret_error)
{
	const char *dash = memchr(part->text, '-', part->length);
	size_t split = dash ? (size_t)(dash - part->text) : part->length;
	struct address_part low = { part->text, split, part->at };
	struct address_part high = low;
	int r;

	if (dash)
		high = (struct address_part){ dash + 1, part->length - split - 1,
					      part->at + split + 1 };
	r = read_port(&low, &ret_ports->low, ret_error);
	if (r == 0)
		r = read_port(&high, &ret_ports->high, ret_error);
	if (r == 0 && ret_ports->low > ret_ports->high)
		return address_refuse(ret_error, part->at, part->length,
				      "the smaller port stands first",
				      "the range of ports is backwards");
	return r;
}

static int add_ports(struct address_match *match, struct policy_ports ports)
{
	struct policy_ports *grown =
		reallocarray(match->ports, match->port_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	match->ports = grown;
	grown[match->port_count++] = ports;
	return 0;
}

int address_ports(const struct address_part *part, struct address_match *match,
		  struct address_error *ret_error)
{
	const struct policy_ports any = { 0, PORT_MAX };
	size_t from = 0;
	int r = 0;

	if (!part->text || (part->length == 1 && *part->text == '*'))
		return add_ports(match, any);
	while (from <= part->length && r == 0) {
		const char *start = part->text + from;
		const char *comma = memchr(start, ',', part->length - from);
		size_t length = comma ? (size_t)(comma - start) : part->length - from;
		struct address_part one = { start, length, part->at + from };
		struct policy_ports ports;

		r = read_range(&one, &ports, ret_error);
		if (r == 0)
			r = add_ports(match, ports);
		from += length + 1;
	}
	return r;
}
