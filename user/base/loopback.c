/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers only: a name could mean another address tomorrow.
 */
#include "base/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char no_address[] = "this is no address and port, as in 127.0.0.1:9464 or [::1]:9464";
static const char no_loopback[] =
	"only this machine may reach it: the address must be in 127.0.0.0/8, or [::1]";

/* A text split at its port. */
struct parts {
	char host[INET6_ADDRSTRLEN];
	const char *port; /* NULL: none */
	bool brackets;
};

static bool split(const char *text, struct parts *parts)
{
	const char *host = text;
	const char *end;

	*parts = (struct parts){ .brackets = text[0] == '[' };
	if (parts->brackets) {
		host = text + 1;
		end = strchr(host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		parts->port = end[1] ? end + 2 : NULL;
	} else {
		end = strchrnul(text, ':');
		parts->port = *end ? end + 1 : NULL;
	}
	if ((size_t)(end - host) >= sizeof(parts->host))
		return false;
	(void)strncat(parts->host, host, (size_t)(end - host));
	return true;
}

/* 0 = it is none. */
static in_port_t parse_port(const char *text)
{
	size_t length = strlen(text);
	unsigned long port = strtoul(text, NULL, 10);

	if (length < 1 || length > 5 || strspn(text, "0123456789") != length || port > 65535)
		return 0;
	return (in_port_t)port;
}

static bool is_loopback4(const char *host, struct in_addr *ret)
{
	return inet_pton(AF_INET, host, ret) == 1 && ntohl(ret->s_addr) >> 24 == 127;
}

static bool is_loopback6(const char *host, struct in6_addr *ret)
{
	return inet_pton(AF_INET6, host, ret) == 1 && IN6_IS_ADDR_LOOPBACK(ret);
}

static void set4(in_port_t port, const struct in_addr *address, struct loopback *ret)
{
	struct sockaddr_in *to = (struct sockaddr_in *)&ret->address;

	to->sin_family = AF_INET;
	to->sin_port = htons(port);
	to->sin_addr = *address;
	ret->length = sizeof(*to);
}

static void set6(in_port_t port, const struct in6_addr *address, struct loopback *ret)
{
	struct sockaddr_in6 *to = (struct sockaddr_in6 *)&ret->address;

	to->sin6_family = AF_INET6;
	to->sin6_port = htons(port);
	to->sin6_addr = *address;
	ret->length = sizeof(*to);
}

int loopback_parse(const char *text, struct loopback *ret, const char **ret_fault)
{
	struct in6_addr six = { 0 };
	struct in_addr four = { 0 };
	struct parts parts;
	in_port_t port;
	bool is_local;

	*ret = (struct loopback){ 0 };
	*ret_fault = no_address;
	if (!split(text, &parts) || !parts.port)
		return -EINVAL;
	port = parse_port(parts.port);
	if (!port)
		return -EINVAL;
	is_local = parts.brackets ? is_loopback6(parts.host, &six) :
				    is_loopback4(parts.host, &four);
	if (!is_local) {
		bool is_other = inet_pton(parts.brackets ? AF_INET6 : AF_INET, parts.host,
					  &(struct in6_addr){ 0 }) == 1;

		*ret_fault = is_other ? no_loopback : no_address;
		return is_other ? -EADDRNOTAVAIL : -EINVAL;
	}
	if (parts.brackets)
		set6(port, &six, ret);
	else
		set4(port, &four, ret);
	return 0;
}

bool loopback_is_host(const char *host)
{
	struct in6_addr six;
	struct in_addr four;
	struct parts parts;

	if (!split(host, &parts) || (parts.port && !parse_port(parts.port)))
		return false;
	if (parts.brackets)
		return is_loopback6(parts.host, &six);
	return strcasecmp(parts.host, "localhost") == 0 || is_loopback4(parts.host, &four);
}
