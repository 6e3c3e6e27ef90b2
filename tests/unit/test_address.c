/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Destinations: what each text covers, to the first and last address, and what is refused where.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/address.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/** A destination and its ranges as "low-high" of IPv6 texts, and its ports. */
struct row {
	const char *text;
	const char *ranges;
	const char *ports;
};

static const struct row rows[] = {
	{ "10.0.0.1", "::ffff:10.0.0.1-::ffff:10.0.0.1", "0-65535" },
	{ "10.0.0.1:443", "::ffff:10.0.0.1-::ffff:10.0.0.1", "443-443" },
	{ "10.0.0.1:*", "::ffff:10.0.0.1-::ffff:10.0.0.1", "0-65535" },
	{ "10.0.0.1:1,65535,80-80", "::ffff:10.0.0.1-::ffff:10.0.0.1", "1-1 65535-65535 80-80" },
	{ "10.0.0.0/8:8000-8100", "::ffff:10.0.0.0-::ffff:10.255.255.255", "8000-8100" },
	{ "192.168.1.128/25", "::ffff:192.168.1.128-::ffff:192.168.1.255", "0-65535" },
	{ "1.2.3.4/32", "::ffff:1.2.3.4-::ffff:1.2.3.4", "0-65535" },
	{ "0.0.0.0/0", "::ffff:0.0.0.0-::ffff:255.255.255.255", "0-65535" },
	{ "0.0.0.0/31", "::ffff:0.0.0.0-::ffff:0.0.0.1", "0-65535" },
	{ "::1", "::1-::1", "0-65535" },
	{ "[::1]", "::1-::1", "0-65535" },
	{ "[::1]:443", "::1-::1", "443-443" },
	{ "2001:db8::/32", "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "0-65535" },
	{ "[2001:db8::/33]:53", "2001:db8::-2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", "53-53" },
	{ "2001:0DB8::1", "2001:db8::1-2001:db8::1", "0-65535" },
	{ "1:2:3:4:5:6:7:443", "1:2:3:4:5:6:7:443-1:2:3:4:5:6:7:443", "0-65535" },
	{ "fe80::1:0/112", "fe80::1:0-fe80::1:ffff", "0-65535" },
	/* IPv4 addresses are never part of an IPv6 network. */
	{ "::/0", "::-::fffe:ffff:ffff ::1:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  "0-65535" },
	{ "::/80", "::-::fffe:ffff:ffff", "0-65535" },
	{ "::fffe:0:0/95", "::fffe:0:0-::fffe:ffff:ffff", "0-65535" },
	{ "::1:0:0:0/80", "::1:0:0:0-::1:ffff:ffff:ffff", "0-65535" },
	{ "::ffff:0:0/96", "::ffff:0.0.0.0-::ffff:255.255.255.255", "0-65535" },
	{ "::ffff:10.0.0.0/104", "::ffff:10.0.0.0-::ffff:10.255.255.255", "0-65535" },
	{ "[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4-::ffff:1.2.3.4", "80-80" },
	{ "@loopback", "::ffff:127.0.0.0-::ffff:127.255.255.255 ::1-::1", "0-65535" },
	{ "@any:53",
	  "::ffff:0.0.0.0-::ffff:255.255.255.255 ::-::fffe:ffff:ffff "
	  "::1:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  "53-53" },
	{ "@private:1-2",
	  "::ffff:10.0.0.0-::ffff:10.255.255.255 ::ffff:172.16.0.0-::ffff:172.31.255.255 "
	  "::ffff:192.168.0.0-::ffff:192.168.255.255 ::ffff:100.64.0.0-::ffff:100.127.255.255 "
	  "::ffff:169.254.0.0-::ffff:169.254.255.255 "
	  "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	  "fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  "1-2" },
	{ "@metadata",
	  "::ffff:169.254.169.254-::ffff:169.254.169.254 ::ffff:169.254.170.2-::ffff:169.254.170.2 "
	  "fd00:ec2::254-fd00:ec2::254 ::ffff:168.63.129.16-::ffff:168.63.129.16 "
	  "::ffff:100.100.100.200-::ffff:100.100.100.200 fd20:ce::254-fd20:ce::254",
	  "0-65535" },
};

static void print_match(const struct address_match *match, char **ret_ranges, char **ret_ports)
{
	size_t size;
	FILE *to = open_memstream(ret_ranges, &size);

	for (size_t i = 0; i < match->range_count; i++) {
		char low[INET6_ADDRSTRLEN], high[INET6_ADDRSTRLEN];

		assert_non_null(inet_ntop(AF_INET6, match->ranges[i].low, low, sizeof(low)));
		assert_non_null(inet_ntop(AF_INET6, match->ranges[i].high, high, sizeof(high)));
		(void)fprintf(to, "%s%s-%s", i ? " " : "", low, high);
	}
	assert_int_equal(fclose(to), 0);
	to = open_memstream(ret_ports, &size);
	for (size_t i = 0; i < match->port_count; i++)
		(void)fprintf(to, "%s%u-%u", i ? " " : "", match->ports[i].low,
			      match->ports[i].high);
	assert_int_equal(fclose(to), 0);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address_match match = { 0 };
		struct address_error error = { 0 };
		char *ranges = NULL, *ports = NULL;
		int r = address_parse(rows[i].text, &match, &error);

		if (r < 0)
			fail_msg("%s: %s", rows[i].text, error.message);
		print_match(&match, &ranges, &ports);
		assert_string_equal(ranges, rows[i].ranges);
		assert_string_equal(ports, rows[i].ports);
		free(ranges);
		free(ports);
		address_match_reset(&match);
	}
}

/** A refused text, the bytes of it that the finding underlines, and a part of the sentence. */
struct refusal {
	const char *text;
	size_t at;
	size_t length;
	const char *message;
};

static const struct refusal refusals[] = {
	{ "", 0, 1, "empty" },
	{ "10.0.0.1:99999", 9, 5, "over 65535" },
	{ "10.0.0.1:0", 9, 1, "0 is not a port" },
	{ "10.0.0.1:1-0", 11, 1, "0 is not a port" },
	{ "10.0.0.1:2-1", 9, 3, "backwards" },
	{ "10.0.0.1:01", 9, 2, "not a port" },
	{ "10.0.0.1:+1", 9, 2, "not a port" },
	{ "10.0.0.1: 1", 9, 2, "not a port" },
	{ "10.0.0.1:1,", 11, 1, "not a port" },
	{ "10.0.0.1 :1", 8, 1, "no blanks" },
	{ " 10.0.0.1", 0, 1, "no blanks" },
	{ "10.0.0.1/8/8", 9, 3, "prefix length" },
	{ "10.0.0.0/-8", 9, 2, "prefix length" },
	{ "0x7f.0.0.1", 0, 10, "neither an address" },
	{ "1.2.3", 0, 5, "fewer than 4" },
	{ "1.2.3:443", 0, 5, "fewer than 4" },
	{ "10.0.0.0/33", 9, 2, "prefix length" },
	{ "10.0.0.1:80:90", 9, 5, "not a port" },
	{ "2130706433", 0, 10, "over 255" },
	{ "127.1", 0, 5, "fewer than 4" },
	{ "1.2.3.4.", 8, 1, "not an IPv4" },
	{ ".1.2.3", 0, 1, "not an IPv4" },
	{ "::ffff:1.2.3.4.5", 0, 16, "not an IPv6" },
	{ ":::1", 0, 4, "not an IPv6" },
	{ "::1::2", 0, 6, "not an IPv6" },
	{ "12345::1", 0, 8, "not an IPv6" },
	{ "[::1%lo]:1", 4, 3, "zone" },
	{ "[[::1]]:1", 6, 3, "misplaced brackets" },
	{ "2001:db8::1:443", 0, 15, "port or a part" },
	{ "::ffff:0:0", 0, 10, "loopback" },
	{ "::ffff:0.0.0.0", 0, 14, "loopback" },
	{ "@", 0, 1, "unknown group" },
	{ "@anyone", 0, 7, "unknown group" },
	{ "@a-name-that-is-longer-than-the-buffer-for-it", 0, 45, "unknown group" },
	{ "@any:1:2", 5, 3, "not a port" },
	{ "@private/8", 0, 10, "unknown group" },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct address_match match = { 0 };
		struct address_error error = { 0 };
		int r = address_parse(refusals[i].text, &match, &error);

		if (r != -EINVAL || !strstr(error.message, refusals[i].message))
			fail_msg("'%s': %d '%s'", refusals[i].text, r, error.message);
		if (error.at != refusals[i].at || error.length != refusals[i].length)
			fail_msg("'%s': at %zu, %zu bytes", refusals[i].text, error.at,
				 error.length);
		assert_null(match.ranges);
		assert_null(match.ports);
	}
}

static void test_one(void **state)
{
	static const char *const bad[] = { "1.2.3.4",	   "1.2.3.4:1-2", "1.2.3.0/24:1",
					   "@any:1",	   "1.2.3.4:*",	  "1.2.3.4:1,2",
					   "1.2.3.4/32:1", "::1",	  "host:1" };
	struct policy_range range = { 0 };
	struct address_error error = { 0 };
	__u16 port = 0;
	char text[INET6_ADDRSTRLEN];

	(void)state;
	assert_int_equal(address_parse_one("1.2.3.4:5", &range, &port, &error), 0);
	assert_int_equal(port, 5);
	assert_memory_equal(range.low, range.high, 16);
	assert_string_equal(inet_ntop(AF_INET6, range.low, text, sizeof(text)), "::ffff:1.2.3.4");
	assert_int_equal(address_parse_one("[2001:db8::7]:65535", &range, &port, &error), 0);
	assert_int_equal(port, 65535);
	assert_string_equal(inet_ntop(AF_INET6, range.high, text, sizeof(text)), "2001:db8::7");
	/* A program may well connect to it; only a rule cannot mean it. */
	assert_int_equal(address_parse_one("0.0.0.0:80", &range, &port, &error), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(address_parse_one(bad[i], &range, &port, &error), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_one),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
