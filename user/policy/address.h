/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Destinations as policies write them. Decides the grammar; refuses to know rules or the network.
 *
 *   destination = host [":" ports]
 *   host        = IPV4 ["/" BITS] | "[" IPV6 ["/" BITS] "]" | IPV6 ["/" BITS]  (without ports)
 *               | "@loopback" | "@private" | "@metadata" | "@any"  (egress also: registries_rule.h)
 *               | a host pattern (host.h): whatever else has no '/' and other bytes than digits and dots
 *   ports       = "*" | PORT ["-" PORT] { "," PORT ["-" PORT] }
 *
 *   Example: "10.0.0.0/8:443,8000-8100", "[2001:db8::/32]:443", "::1", "@private",
 *   "*.example.com:443"
 */
#ifndef PICKET_POLICY_ADDRESS_H
#define PICKET_POLICY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/model.h"

/** What a text stands for. */
struct address_match {
	char *host; /* owned: a host pattern in its canonical form; then there are no ranges */
	bool loopback; /* it is the group @loopback, to which a machine's own addresses belong */
	struct policy_range *ranges; /* owned */
	size_t range_count;
	struct policy_ports *ports; /* owned; never empty, "any" is 0-65535 */
	size_t port_count;
};

/** What is wrong, and where in the text. */
struct address_error {
	size_t at; /* byte offset */
	size_t length; /* bytes to underline */
	char message[160];
	char hint[200]; /* "" = none */
};

/**
 * Parse @text, a destination. On success fills *@ret (caller resets) and returns 0; -EINVAL with
 * *@ret_error filled; -ENOMEM.
 */
int address_parse(const char *text, struct address_match *ret, struct address_error *ret_error);

/** One place to connect to. */
struct address_target {
	char *host; /* owned: a host name in its canonical form, or NULL: the address */
	struct policy_range address; /* low == high */
	__u16 port;
};

/** Parse "ADDRESS:PORT" (IPv6 in brackets) or "NAME:PORT"; the caller frees ret->host. */
int address_parse_target(const char *text, struct address_target *ret,
			 struct address_error *ret_error);

/** Parse "ADDRESS:PORT" (IPv6 in brackets) with exactly one of both. Errors as address_parse(). */
int address_parse_one(const char *text, struct policy_range *ret_address, __u16 *ret_port,
		      struct address_error *ret_error);

/** Parse "ADDRESS", one address without a port (IPv6 with or without brackets). */
int address_parse_alone(const char *text, struct policy_range *ret_address,
			struct address_error *ret_error);

/** Free what @match owns and make it empty. */
void address_match_reset(struct address_match *match);

#endif
