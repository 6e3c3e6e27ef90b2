/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grammar of destinations: hosts, groups, and what surrounds them. Numbers are read strictly,
 * so that no text means one thing here and another to a program that is more generous. Ports are
 * in ports.c.
 */
#include "policy/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/address_parts.h"
#include "policy/host.h"

/** A named group of networks. */
struct address_group {
	const char *name;
	const char *networks[12]; /* NULL-terminated, in address_network() syntax */
};

static const struct address_group address_groups[] = {
	{ "loopback", { "127.0.0.0/8", "::1/128" } },
	{ "private",
	  { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
	    "fc00::/7", "fe80::/10" } },
	/* Where clouds tell instances who they are and give them credentials. */
	{ "metadata",
	  { "169.254.169.254/32", "169.254.170.2/32", "fd00:ec2::254/128", "168.63.129.16/32",
	    "100.100.100.200/32", "fd20:ce::254/128" } },
	{ "any", { "0.0.0.0/0", "::/0" } },
};

#define GROUP_COUNT (sizeof(address_groups) / sizeof(*address_groups))

int address_refuse(struct address_error *ret_error, size_t at, size_t length, const char *hint,
		   const char *format, ...)
{
	va_list arguments;

	*ret_error = (struct address_error){ .at = at, .length = length > 0 ? length : 1 };
	va_start(arguments, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 misses the va_start above */
	(void)vsnprintf(ret_error->message, sizeof(ret_error->message), format, arguments);
	va_end(arguments);
	(void)snprintf(ret_error->hint, sizeof(ret_error->hint), "%s", hint ? hint : "");
	return -EINVAL;
}

static int add_network(struct address_match *match, const struct address_part *part,
		       struct address_error *ret_error)
{
	struct policy_range ranges[2];
	size_t count = 0;
	struct policy_range *grown;
	int r = address_network(part, ranges, &count, ret_error);

	if (r < 0)
		return r;
	grown = reallocarray(match->ranges, match->range_count + count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	match->ranges = grown;
	memcpy(&grown[match->range_count], ranges, count * sizeof(*ranges));
	match->range_count += count;
	return 0;
}

static int add_group(struct address_match *match, const struct address_part *part,
		     struct address_error *ret_error)
{
	const char *names[GROUP_COUNT];
	char name[24], hint[64];
	const char *nearest;

	(void)snprintf(name, sizeof(name), "%.*s", (int)(part->length - 1), part->text + 1);
	for (size_t i = 0; i < GROUP_COUNT; i++) {
		const struct address_group *group = &address_groups[i];
		int r = 0;

		names[i] = group->name;
		if (strlen(group->name) != part->length - 1 || strcmp(group->name, name) != 0)
			continue;
		for (size_t n = 0; group->networks[n] && r == 0; n++) {
			struct address_part network = { group->networks[n],
							strlen(group->networks[n]), part->at };

			r = add_network(match, &network, ret_error);
		}
		match->loopback = strcmp(group->name, "loopback") == 0;
		return r;
	}
	nearest = text_nearest(name, names, GROUP_COUNT);
	(void)snprintf(hint, sizeof(hint),
		       nearest ? "did you mean '@%s'?" :
				 "groups are @loopback, @private, @metadata, @any",
		       nearest);
	return address_refuse(ret_error, part->at, part->length, hint, "unknown group '@%s%s'",
			      name, part->length - 1 >= sizeof(name) ? "..." : "");
}

static size_t count_colons(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += text[i] == ':';
	return count;
}

/* "fe80::1:443" is an address; its writer may have meant a port. Only brackets tell. */
static int check_ambiguous(const struct address_part *whole, struct address_error *ret_error)
{
	struct in6_addr address;
	char text[INET6_ADDRSTRLEN + 8], hint[160];
	const char *last;
	int head;

	(void)snprintf(text, sizeof(text), "%.*s", (int)whole->length, whole->text);
	last = strrchr(text, ':');
	if (!last || whole->length >= sizeof(text) || !last[1] || last[1] == '0' ||
	    strspn(last + 1, "0123456789") != strlen(last + 1) ||
	    inet_pton(AF_INET6, text, &address) != 1)
		return 0;
	head = (int)(last - text);
	(void)snprintf(hint, sizeof(hint), "write '[%.*s]:%s' for the port, '[%s]' for the address",
		       head, text, last + 1, text);
	text[head] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1)
		return 0;
	return address_refuse(ret_error, whole->at, whole->length, hint,
			      "is the end of this a port or a part of the address?");
}

/* True when the text up to its first ':' cannot be the first number of an IPv6 address. */
static bool has_host(const char *text)
{
	size_t length = strcspn(text, ":");

	return strspn(text, "0123456789abcdefABCDEF") < length;
}

/* "https://example.com/x" */
static int check_url(const char *text, struct address_error *ret_error)
{
	const char *slashes = strstr(text, "://");
	size_t scheme = slashes ? (size_t)(slashes - text) : 0;

	if (!scheme || strcspn(text, ":") != scheme)
		return 0;
	return address_refuse(ret_error, 0, scheme + 3,
			      "write the host name, and its port: 'example.com:443'",
			      "a destination is no URL");
}

static int bracket_error(struct address_error *ret_error, size_t at, size_t length)
{
	return address_refuse(ret_error, at, length,
			      "an IPv6 network with ports is written '[2001:db8::/32]:443'",
			      "misplaced brackets");
}

/* Split "[v6/bits]:ports" at the brackets. */
static int split_brackets(const char *text, size_t length, struct address_part *ret_host,
			  struct address_part *ret_ports, struct address_error *ret_error)
{
	const char *end = memchr(text, ']', length);

	if (!end)
		return address_refuse(ret_error, 0, 1, NULL, "'[' without ']'");
	*ret_host = (struct address_part){ text + 1, (size_t)(end - text) - 1, 1 };
	if (!memchr(ret_host->text, ':', ret_host->length))
		return address_refuse(ret_error, 0, (size_t)(end - text) + 1,
				      "brackets are for IPv6 addresses", "no IPv6 address in '[]'");
	if (!end[1])
		return 0;
	if (end[1] != ':')
		return bracket_error(ret_error, (size_t)(end - text) + 1,
				     length - (size_t)(end - text) - 1);
	*ret_ports = (struct address_part){ end + 2, strlen(end + 2), (size_t)(end - text) + 2 };
	return ret_ports->length ? 0 :
				   address_refuse(ret_error, ret_ports->at - 1, 1, NULL,
						  "a ':' without a port behind it");
}

/* Split a destination into host and ports; ports->text stays NULL when there are none. */
static int split(const char *text, struct address_part *ret_host, struct address_part *ret_ports,
		 struct address_error *ret_error)
{
	size_t length = strlen(text);
	const char *colon = strchr(text, ':');

	if (length == 0)
		return address_refuse(ret_error, 0, 1, NULL, "an empty address");
	if (*text == '[')
		return split_brackets(text, length, ret_host, ret_ports, ret_error);
	*ret_host = (struct address_part){ text, length, 0 };
	if (check_url(text, ret_error))
		return -EINVAL;
	if (count_colons(text, length) > 1 && !has_host(text))
		return check_ambiguous(ret_host, ret_error);
	if (!colon)
		return 0;
	ret_host->length = (size_t)(colon - text);
	*ret_ports =
		(struct address_part){ colon + 1, strlen(colon + 1), (size_t)(colon - text) + 1 };
	if (ret_host->length == 0)
		return address_refuse(ret_error, 0, 1,
				      "for any address write '@any', for any host name '*'",
				      "a port without an address or a host name");
	return ret_ports->length ? 0 :
				   address_refuse(ret_error, ret_ports->at - 1, 1, NULL,
						  "a ':' without a port behind it");
}

int address_parse(const char *text, struct address_match *ret, struct address_error *ret_error)
{
	CLEAN(address_match_reset) struct address_match match = { 0 };
	struct address_part host = { 0 }, ports = { 0 };
	int r = split(text, &host, &ports, ret_error);

	if (r == 0 && *host.text == '@')
		r = add_group(&match, &host, ret_error);
	else if (r == 0 && address_is_network(&host))
		r = add_network(&match, &host, ret_error);
	else if (r == 0)
		r = host_pattern_parse(&host, &match.host, ret_error);
	if (r == 0)
		r = address_ports(&ports, &match, ret_error);
	if (r < 0)
		return r;
	*ret = match;
	match = (struct address_match){ 0 };
	return 0;
}

static int read_target(const struct address_part *host, struct address_target *target,
		       struct address_error *ret_error)
{
	if (*host->text == '@')
		return address_refuse(ret_error, host->at, host->length,
				      "write one address of the group",
				      "a group is more than one address");
	if (address_is_network(host) && memchr(host->text, '/', host->length))
		return address_refuse(ret_error, host->at, host->length,
				      "write one address of the network",
				      "a network is more than one address");
	if (address_is_network(host))
		return address_one(host, &target->address, ret_error);
	return host_name_parse(host, &target->host, ret_error);
}

/* What may stand for a port of a rule is no remedy where one port is asked about. */
static int read_port(const struct address_part *ports, struct address_match *match,
		     struct address_error *ret_error)
{
	int r = address_ports(ports, match, ret_error);

	if (r == -EINVAL)
		(void)snprintf(ret_error->hint, sizeof(ret_error->hint),
			       "write one port, 1 to 65535");
	return r;
}

int address_parse_target(const char *text, struct address_target *ret,
			 struct address_error *ret_error)
{
	CLEAN(address_match_reset) struct address_match match = { 0 };
	struct address_part host = { 0 }, ports = { 0 };
	struct address_target target = { 0 };
	int r = split(text, &host, &ports, ret_error);

	if (r == 0 && !ports.text)
		return address_refuse(ret_error, 0, strlen(text), "write ADDRESS:PORT or NAME:PORT",
				      "no port to connect to");
	if (r == 0)
		r = read_port(&ports, &match, ret_error);
	if (r == 0 && (match.port_count != 1 || match.ports->low != match.ports->high))
		r = address_refuse(ret_error, ports.at, ports.length, "write one port",
				   "more than one port to connect to");
	if (r == 0)
		r = read_target(&host, &target, ret_error);
	if (r < 0)
		return r;
	target.port = match.ports->low;
	*ret = target;
	return 0;
}

int address_parse_one(const char *text, struct policy_range *ret_address, __u16 *ret_port,
		      struct address_error *ret_error)
{
	struct address_target target = { 0 };
	int r = address_parse_target(text, &target, ret_error);

	if (r < 0)
		return r;
	if (target.host) {
		free(target.host);
		return address_refuse(ret_error, 0, strcspn(text, ":"), "write ADDRESS:PORT",
				      "a host name, where an address is needed");
	}
	*ret_address = target.address;
	*ret_port = target.port;
	return 0;
}

int address_parse_alone(const char *text, struct policy_range *ret_address,
			struct address_error *ret_error)
{
	struct address_part host = { 0 }, ports = { 0 };
	struct address_target target = { 0 };
	int r = split(text, &host, &ports, ret_error);

	if (r == 0 && ports.text)
		return address_refuse(ret_error, ports.at - 1, ports.length + 1,
				      "write the address alone", "a port, where none is asked for");
	if (r == 0)
		r = read_target(&host, &target, ret_error);
	if (r < 0)
		return r;
	if (target.host) {
		free(target.host);
		return address_refuse(ret_error, 0, strlen(text), "write one address",
				      "a host name, where an address is needed");
	}
	*ret_address = target.address;
	return 0;
}

void address_match_reset(struct address_match *match)
{
	free(match->host);
	free(match->ranges);
	free(match->ports);
	*match = (struct address_match){ 0 };
}
