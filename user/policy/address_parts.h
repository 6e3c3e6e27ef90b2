/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a destination: one network, a list of ports.
 */
#ifndef PICKET_POLICY_ADDRESS_PARTS_H
#define PICKET_POLICY_ADDRESS_PARTS_H

#include "policy/address.h"

/** A part of a text. */
struct address_part {
	const char *text; /* borrowed, not terminated behind the part */
	size_t length;
	size_t at; /* where it begins in the whole text */
};

/** Fill *@ret_error and return -EINVAL. @hint may be NULL. */
int address_refuse(struct address_error *ret_error, size_t at, size_t length, const char *hint,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));

/** True for what is to be read as an address or a network and not as a host name. */
bool address_is_network(const struct address_part *part);

/**
 * The ranges of an address or network: one, or two when an IPv6 network surrounds the place where
 * IPv4 addresses are kept, which is left out. Returns 0 or -EINVAL.
 */
int address_network(const struct address_part *part, struct policy_range ret_ranges[2],
		    size_t *ret_count, struct address_error *ret_error);

/** The same for one single address, also the unspecified one. */
int address_one(const struct address_part *part, struct policy_range *ret_range,
		struct address_error *ret_error);

/** Add the ports of @part (text NULL: any) to @match. Returns 0, -EINVAL or -ENOMEM. */
int address_ports(const struct address_part *part, struct address_match *match,
		  struct address_error *ret_error);

/**
 * Read a decimal number of @length digits without leading zeros, at most @max. Returns 0, or
 * -EINVAL for one that is not, -ERANGE for one that is too large.
 */
int address_number(const char *text, size_t length, unsigned int max, unsigned int *ret_number);

#endif
