/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One address or network to ranges of the 128-bit space in which IPv4 is ::ffff:a.b.c.d. An IPv6
 * network never includes IPv4 addresses, however short its prefix: "::/0" is all of IPv6.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/address_parts.h"

/** Bits of an address in front of the IPv4 part. */
#define MAPPED_BITS 96

static const __u8 mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static int quoted_length(const struct address_part *part)
{
	return part->length > 64 ? 64 : (int)part->length;
}

static int refuse_v4(const struct address_part *part, size_t at, size_t length, const char *why,
		     struct address_error *ret_error)
{
	return address_refuse(ret_error, part->at + at, length, NULL, "'%.*s' %s",
			      quoted_length(part), part->text, why);
}

static int parse_v4(const struct address_part *part, __u8 bytes[16],
		    struct address_error *ret_error)
{
	size_t from = 0, numbers = 0;

	memcpy(bytes, mapped_prefix, sizeof(mapped_prefix));
	while (from <= part->length) {
		const char *start = part->text + from;
		const char *dot = memchr(start, '.', part->length - from);
		size_t length = dot ? (size_t)(dot - start) : part->length - from;
		unsigned int number = 0;
		int r = address_number(start, length, 255, &number);

		if (length > 1 && *start == '0')
			return refuse_v4(part, from, length, "has a number with leading zeros",
					 ret_error);
		if (r == -ERANGE)
			return refuse_v4(part, from, length, "has a number over 255", ret_error);
		if (r < 0)
			return refuse_v4(part, from, length, "is not an IPv4 address", ret_error);
		if (numbers < 4)
			bytes[12 + numbers] = (__u8)number;
		numbers++;
		from += length + 1;
	}
	if (numbers != 4)
		return refuse_v4(part, 0, part->length,
				 numbers > 4 ?
					 "is not an IPv4 address: it has more than 4 numbers" :
					 "is not an IPv4 address: it has fewer than 4 numbers",
				 ret_error);
	return 0;
}

static int parse_v6(const struct address_part *part, __u8 bytes[16],
		    struct address_error *ret_error)
{
	char text[INET6_ADDRSTRLEN];
	const char *zone = memchr(part->text, '%', part->length);

	if (zone)
		return address_refuse(ret_error, part->at + (size_t)(zone - part->text),
				      part->length - (size_t)(zone - part->text),
				      "leave the zone away: a rule holds on every interface",
				      "an address with a zone");
	(void)snprintf(text, sizeof(text), "%.*s", (int)part->length, part->text);
	if (part->length >= sizeof(text) || inet_pton(AF_INET6, text, bytes) != 1)
		return address_refuse(ret_error, part->at, part->length,
				      "an IPv6 address with ports is written '[2001:db8::1]:443'",
				      "'%.*s' is not an IPv6 address", quoted_length(part),
				      part->text);
	return 0;
}

/* What is no address, at a place where no host name can stand either. */
static int refuse_name(const struct address_part *part, struct address_error *ret_error)
{
	return address_refuse(ret_error, part->at, part->length,
			      "give an address, a network (10.0.0.0/8) or a group (@private)",
			      "'%.*s' is not an address", quoted_length(part), part->text);
}

bool address_is_network(const struct address_part *part)
{
	if (memchr(part->text, ':', part->length) || memchr(part->text, '/', part->length))
		return true;
	for (size_t i = 0; i < part->length; i++)
		if ((part->text[i] < '0' || part->text[i] > '9') && part->text[i] != '.')
			return false;
	return true;
}

/* The address without "/bits". *@ret_v4 tells which kind it is written as. */
static int parse_host(const struct address_part *part, __u8 bytes[16], bool *ret_v4,
		      struct address_error *ret_error)
{
	*ret_v4 = !memchr(part->text, ':', part->length);
	if (!*ret_v4)
		return parse_v6(part, bytes, ret_error);
	for (size_t i = 0; i < part->length; i++) {
		if ((part->text[i] < '0' || part->text[i] > '9') && part->text[i] != '.')
			return refuse_name(part, ret_error);
	}
	return parse_v4(part, bytes, ret_error);
}

static int parse_bits(const struct address_part *part, bool v4, unsigned int *ret_bits,
		      struct address_error *ret_error)
{
	unsigned int most = v4 ? 32 : 128;

	if (address_number(part->text, part->length, most, ret_bits) == 0)
		return 0;
	return address_refuse(ret_error, part->at, part->length, NULL,
			      "the prefix length '%.*s' is not a number from 0 to %u",
			      quoted_length(part), part->text, most);
}

/* Set the bits behind the first @bits of @bytes to @value. */
static void fill_behind(__u8 bytes[16], unsigned int bits, __u8 value)
{
	for (unsigned int i = bits; i < 128; i++) {
		__u8 mask = (__u8)(0x80U >> (i & 7));

		bytes[i >> 3] = (__u8)((bytes[i >> 3] & ~mask) | (value & mask));
	}
}

static bool is_mapped(const __u8 bytes[16])
{
	return memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

/* The hint "did you mean NETWORK/BITS?" for an address with bits set behind its prefix. */
static int refuse_bits(const struct address_part *part, const __u8 low[16], unsigned int bits,
		       bool v4, struct address_error *ret_error)
{
	char text[INET6_ADDRSTRLEN] = "", hint[INET6_ADDRSTRLEN + 40];

	(void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? low + 12 : low, text, sizeof(text));
	(void)snprintf(hint, sizeof(hint), "the network is '%s/%u'", text, bits);
	return address_refuse(ret_error, part->at, part->length, hint,
			      "'%.*s' has bits set behind its first %u", quoted_length(part),
			      part->text, bits);
}

/* The kernel takes 0.0.0.0 and :: as destination for the host itself: no rule can mean them. */
static int check_unspecified(const struct address_part *part, const struct policy_range *range,
			     struct address_error *ret_error)
{
	static const __u8 zero[16];

	if (memcmp(range->low, range->high, 16) != 0 || memcmp(range->low + 12, zero, 4) != 0 ||
	    (!is_mapped(range->low) && memcmp(range->low, zero, 16) != 0))
		return 0;
	return address_refuse(ret_error, part->at, part->length,
			      "write '@loopback' for this host, '@any' for every address",
			      "no connection goes to '%.*s': the kernel takes it for loopback",
			      quoted_length(part), part->text);
}

/* Leave the IPv4 addresses out of an IPv6 range that surrounds them. */
static size_t without_mapped(const struct policy_range *range, struct policy_range ret_ranges[2])
{
	__u8 first[16] = { 0 }, last[16] = { 0 };

	memcpy(first, mapped_prefix, sizeof(mapped_prefix));
	memcpy(last, mapped_prefix, sizeof(mapped_prefix));
	fill_behind(last, MAPPED_BITS, 0xff);
	ret_ranges[0] = *range;
	if (is_mapped(range->low) || memcmp(range->low, last, 16) > 0 ||
	    memcmp(range->high, first, 16) < 0)
		return 1;
	/* ::fffe:ffff:ffff is the last before, ::1:0:0:0 the first behind. */
	memcpy(ret_ranges[0].high, first, 16);
	ret_ranges[0].high[11] = 0xfe;
	fill_behind(ret_ranges[0].high, MAPPED_BITS, 0xff);
	ret_ranges[1] = *range;
	memset(ret_ranges[1].low, 0, 16);
	ret_ranges[1].low[9] = 1;
	return memcmp(ret_ranges[1].low, range->high, 16) <= 0 ? 2 : 1;
}

int address_network(const struct address_part *part, struct policy_range ret_ranges[2],
		    size_t *ret_count, struct address_error *ret_error)
{
	const char *slash = memchr(part->text, '/', part->length);
	struct address_part host = *part, tail = { 0 };
	struct policy_range range;
	unsigned int bits = 128;
	bool v4 = false;
	int r;

	if (slash) {
		host.length = (size_t)(slash - part->text);
		tail = (struct address_part){ slash + 1, part->length - host.length - 1,
					      part->at + host.length + 1 };
	}
	r = parse_host(&host, range.low, &v4, ret_error);
	if (r == 0 && slash)
		r = parse_bits(&tail, v4, &bits, ret_error);
	if (r < 0)
		return r;
	if (slash && v4)
		bits += MAPPED_BITS;
	memcpy(range.high, range.low, 16);
	fill_behind(range.high, bits, 0xff);
	fill_behind(range.low, bits, 0);
	r = check_unspecified(part, &range, ret_error);
	if (r < 0)
		return r;
	*ret_count = without_mapped(&range, ret_ranges);
	r = parse_host(&host, range.high, &v4, ret_error);
	if (r == 0 && memcmp(range.low, range.high, 16) != 0)
		r = refuse_bits(part, range.low, v4 ? bits - MAPPED_BITS : bits, v4, ret_error);
	return r;
}

int address_one(const struct address_part *part, struct policy_range *ret_range,
		struct address_error *ret_error)
{
	bool v4;
	int r = parse_host(part, ret_range->low, &v4, ret_error);

	if (r == 0)
		memcpy(ret_range->high, ret_range->low, 16);
	return r;
}
