/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First payloads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/matcher.h"

#include <picket/payload.h>

static int feed_text(struct pk_payload *p, const char *text)
{
	static __u8 chunk[PK_CHUNK];

	memset(p, 0, sizeof(*p));
	for (size_t at = 0; text[at]; at++) {
		chunk[0] = (__u8)text[at];
		pk_payload_feed(p, chunk, 1);
	}
	return (int)p->state;
}

static const struct {
	const char *text;
	int state;
	const char *name;
} requests[] = {
	{ "GET / HTTP/1.1\r\nHost: Example.TEST.\r\n\r\n", PK_PAYLOAD_NAMED, "example.test" },
	{ "GET / HTTP/1.1\nHost:example.test:8080 \n\n", PK_PAYLOAD_NAMED, "example.test" },
	{ "GET http://a.test/x HTTP/1.1\r\nhost: a.test\r\n\r\n", PK_PAYLOAD_NAMED, "a.test" },
	{ "GET http://a.test/x HTTP/1.1\r\nhost: b.test\r\n\r\n", PK_PAYLOAD_NAMELESS, "" },
	{ "CONNECT a.test:443 HTTP/1.0\r\n\r\n", PK_PAYLOAD_NAMED, "a.test" },
	{ "GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", PK_PAYLOAD_NAMELESS, "" },
	{ "GET / HTTP/1.1\r\nHost : a.test\r\n\r\n", PK_PAYLOAD_BAD, "" },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PK_PAYLOAD_NAMELESS, "" },
	{ "SSH-2.0-OpenSSH_9.2\r\n", PK_PAYLOAD_OTHER, "" },
	{ "GET /\r\n", PK_PAYLOAD_OTHER, "" },
	{ "GET / HTTP/1.2\r\n", PK_PAYLOAD_BAD, "" },
};

static void http_requests(void **state)
{
	struct pk_payload p;

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		if (feed_text(&p, requests[i].text) != requests[i].state)
			fail_msg("'%s': %u", requests[i].text, p.state);
		assert_int_equal(p.length, strlen(requests[i].name));
		assert_memory_equal(p.name, requests[i].name, p.length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_requests),
	};

	return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
