/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host patterns: what each text becomes, and what is refused where.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/host.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A63 A50 "aaaaaaaaaaaaa"
#define A61 A50 "aaaaaaaaaaa"
/* 3 * 64 + 61 = 253 bytes, and the same with a label more. */
#define LONGEST A63 "." A63 "." A63 "." A61
#define TOO_LONG A63 "." A63 "." A63 "." A61 "a"

/** A destination and what it becomes. */
struct row {
	const char *text;
	const char *host;
};

static const struct row rows[] = {
	{ "example.com", "example.com" },
	{ "EXAMPLE.Com", "example.com" },
	{ "example.com.", "example.com" },
	{ "example.com:443", "example.com" },
	{ "example.com.:443", "example.com" },
	{ "*.example.com", "*.example.com" },
	{ "**.Example.com.", "**.example.com" },
	{ "*.com", "*.com" },
	{ "*", "*" },
	{ "*:443,8000-8100", "*" },
	{ "intranet", "intranet" },
	{ "_dmarc.example.com", "_dmarc.example.com" },
	{ "-a-.b-", "-a-.b-" },
	{ "beef.cafe", "beef.cafe" },
	{ "beef.cafe:443", "beef.cafe" },
	{ "1.2.3.4.example", "1.2.3.4.example" },
	{ "1and1.com", "1and1.com" },
	{ "a.1b", "a.1b" },
	{ "0x7g", "0x7g" },
	{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "b\xc3\xbc"
	  "cher.example",
	  "xn--bcher-kva.example" },
	{ "*.B\xc3\x9c"
	  "CHER.example",
	  "*.xn--bcher-kva.example" },
	/* u and a combining diaeresis are the same name. */
	{ "bu\xcc\x88"
	  "cher.example",
	  "xn--bcher-kva.example" },
	{ "**.stra\xc3\x9f"
	  "e.de:443",
	  "**.xn--strae-oqa.de" },
	{ "\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
	  "xn--r8jz45g.xn--zckzah" },
	{ "\xef\xbc\xa5xample.com", "example.com" },
	{ "_b\xc3\xbc.example", "xn--_b-yka.example" },
	{ LONGEST, LONGEST },
	{ LONGEST ".", LONGEST },
	{ "**." LONGEST, "**." LONGEST },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address_match match = { 0 };
		struct address_error error = { 0 };

		if (address_parse(rows[i].text, &match, &error) < 0)
			fail_msg("%s: %s", rows[i].text, error.message);
		if (!match.host || strcmp(match.host, rows[i].host) != 0)
			fail_msg("%s: '%s'", rows[i].text, match.host);
		assert_int_equal(match.range_count, 0);
		assert_true(match.port_count > 0);
		address_match_reset(&match);
	}
}

/** A refused text, the bytes of it that the finding underlines, and a part of the sentence. */
struct refusal {
	const char *text;
	size_t at;
	size_t length;
	const char *message;
	const char *hint;
};

static const struct refusal refusals[] = {
	{ "**", 0, 2, "has a name behind it", "'*' alone" },
	{ "**:443", 0, 2, "has a name behind it", "'*' alone" },
	{ "*example.com", 0, 1, "whole labels", "'*.example.com'" },
	{ "***.example.com", 0, 1, "whole labels", "'*.example.com'" },
	{ "*.*.example.com", 2, 1, "whole labels", "'*.example.com'" },
	{ "a.*.example.com", 2, 1, "whole labels", "'*.example.com'" },
	{ "api-*.example.com", 4, 1, "whole labels", "'*.example.com'" },
	{ "example.*", 8, 1, "whole labels", "'*.example.com'" },
	{ "example.com*", 11, 1, "whole labels", "'*.example.com'" },
	{ "?.example.com", 0, 1, "no '?'", "'*.example.com'" },
	{ "a{b,c}.com", 1, 1, "no '{'", "'*.example.com'" },
	{ "a[bc].com", 1, 1, "no '['", "'*.example.com'" },
	{ "a%2eb.com", 1, 1, "percent", "letters" },
	{ "a b.com", 1, 1, "blanks", "letters" },
	{ " a.com", 0, 1, "blanks", "letters" },
	{ "a.com\t", 5, 1, "blanks", "letters" },
	{ "a\x01.com", 1, 1, "control", "letters" },
	{ "a.com\x7f", 5, 1, "control", "letters" },
	{ "a.com\r", 5, 1, "control", "letters" },
	{ "user@a.com", 4, 1, "no '@'", "letters" },
	{ "a.com,b.com", 5, 1, "no ','", "letters" },
	{ "a\\.com", 1, 1, "no '\\'", "letters" },
	{ ".example.com", 0, 1, "empty labels", "" },
	{ "a..b", 2, 1, "empty labels", "" },
	{ "*..b", 2, 1, "empty labels", "" },
	{ "a.b..", 3, 1, "empty labels", "" },
	{ "*.", 2, 1, "empty labels", "" },
	{ "**.", 3, 1, "empty labels", "" },
	{ "a." A63 "a.b", 2, 64, "64 bytes", "" },
	{ TOO_LONG, 0, 254, "254 bytes", "" },
	/* Nothing of that length has a name below it. */
	{ "*." LONGEST, 2, 253, "253 bytes", "" },
	{ "a.1", 0, 3, "ends in a number", "10.0.0.0/8" },
	{ "*.1", 2, 1, "ends in a number", "10.0.0.0/8" },
	{ "0x7f.0.0.1", 0, 10, "ends in a number", "10.0.0.0/8" },
	{ "0x7f000001", 0, 10, "ends in a number", "10.0.0.0/8" },
	{ "a.0X", 0, 4, "ends in a number", "10.0.0.0/8" },
	{ "localhost", 0, 9, "this host", "@loopback" },
	{ "LocalHost.:80", 0, 9, "this host", "@loopback" },
	{ "db.localhost", 0, 12, "this host", "@loopback" },
	{ "*.localhost", 2, 9, "this host", "@loopback" },
	/* What characters turn into is judged like what is written. */
	{ "\xef\xbc\x91.\xef\xbc\x92.\xef\xbc\x93.\xef\xbc\x94", 0, 15, "ends in a number", "" },
	{ "\xef\xbd\x8cocalhost", 0, 11, "this host", "@loopback" },
	{ "a\xe2\x84\x80.com", 0, 8, "no '/'", "letters" },
	{ "a\xef\xbc\x8e\xef\xbc\x8e"
	  "b",
	  0, 8, "host name", "" },
	{ "\xc2\xad.com", 0, 6, "", "" },
	{ "b\xc3\xbc*.com", 3, 1, "whole labels", "'*.example.com'" },
	{ "b\xc3.com", 0, 6, "cannot be a host name", "" },
	{ "b\xc3\xbc..com", 0, 8, "", "" },
	/* Faults around the name. */
	{ "https://example.com", 0, 8, "URL", "example.com:443" },
	{ "https://example.com:443/x", 0, 8, "URL", "example.com:443" },
	{ "example.com:https", 12, 5, "not a port", "" },
	{ "example.com:443:80", 12, 6, "not a port", "" },
	{ "example.com:", 11, 1, "without a port", "" },
	{ ":443", 0, 1, "without an address or a host name", "'*'" },
	{ "example.com/8", 0, 11, "not an address", "" },
	{ "[example.com]:443", 0, 13, "no IPv6 address", "" },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		const struct refusal *row = &refusals[i];
		struct address_match match = { 0 };
		struct address_error error = { 0 };
		int r = address_parse(row->text, &match, &error);

		if (r != -EINVAL || !strstr(error.message, row->message) ||
		    !strstr(error.hint, row->hint))
			fail_msg("'%s': %d '%s' '%s'", row->text, r, error.message, error.hint);
		if (error.at != row->at || error.length != row->length)
			fail_msg("'%s': at %zu, %zu bytes: %s", row->text, error.at, error.length,
				 error.message);
		assert_null(match.host);
		assert_null(match.ports);
	}
}

static void test_one_name(void **state)
{
	static const char *const bad[] = { "*.example.com:443", "*:443",	 "example.com",
					   "example.com:1-2",	"example.com:*", "example.com:1,2",
					   "localhost:80",	"a..b:80",	 "1.2.3:80",
					   "example.com/8:80",	"@loopback:80" };
	struct address_target target = { 0 };
	struct address_error error = { 0 };
	struct policy_range range;

	(void)state;
	assert_int_equal(address_parse_target("Example.COM.:443", &target, &error), 0);
	assert_string_equal(target.host, "example.com");
	assert_int_equal(target.port, 443);
	free(target.host);
	assert_int_equal(address_parse_target("[::1]:443", &target, &error), 0);
	assert_null(target.host);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(address_parse_target(bad[i], &target, &error), -EINVAL);
	assert_int_equal(address_parse_alone("10.0.0.1", &range, &error), 0);
	assert_int_equal(address_parse_alone("[::1]", &range, &error), 0);
	assert_int_equal(address_parse_alone("10.0.0.1:80", &range, &error), -EINVAL);
	assert_int_equal(address_parse_alone("example.com", &range, &error), -EINVAL);
	assert_int_equal(address_parse_alone("@any", &range, &error), -EINVAL);
}

static void test_conversion_is_told(void **state)
{
	(void)state;
	assert_true(host_was_converted("b\xc3\xbc.example:443", "xn--b-xka.example"));
	assert_false(host_was_converted("A.example.:443", "a.example"));
	assert_false(host_was_converted("10.0.0.1", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_one_name),
		cmocka_unit_test(test_conversion_is_told),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
