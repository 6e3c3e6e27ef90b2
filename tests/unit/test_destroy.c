/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine/destroy: which records ask for the end of a socket, and the request that comes of them. That
 * the kernel takes it is in the bpf tier.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

#include "engine/destroy.h"
#include "events.h"

static void refused_name(struct raw_event *raw, const char *address, const char *local)
{
	raw_event_connect(raw, address, 443);
	raw->head.op = PK_OP_NAME;
	raw->head.cookie = 0x1122334455667788ULL;
	raw->head.local_port = 40001;
	if (raw->head.family == AF_INET6) {
		assert_int_equal(inet_pton(AF_INET6, local, raw->head.local), 1);
		return;
	}
	memcpy(raw->head.local, raw->head.address, 12);
	assert_int_equal(inet_pton(AF_INET, local, raw->head.local + 12), 1);
}

static void which_records(void **state)
{
	struct raw_event raw;

	(void)state;
	refused_name(&raw, "203.0.113.7", "10.0.0.1");
	assert_true(destroy_is_wanted(&raw.head));
	raw.head.op = PK_OP_PACKET;
	assert_true(destroy_is_wanted(&raw.head));
	raw.head.protocol = IPPROTO_UDP;
	assert_false(destroy_is_wanted(&raw.head));
	refused_name(&raw, "203.0.113.7", "10.0.0.1");
	raw.head.audit = 1;
	assert_false(destroy_is_wanted(&raw.head));
	raw.head.audit = 0;
	raw.head.verdict = PK_VERDICT_ALLOW;
	assert_false(destroy_is_wanted(&raw.head));
	refused_name(&raw, "203.0.113.7", "10.0.0.1");
	raw.head.cookie = 0;
	assert_false(destroy_is_wanted(&raw.head));
	refused_name(&raw, "203.0.113.7", "10.0.0.1");
	raw.head.op = PK_OP_CONNECT;
	assert_false(destroy_is_wanted(&raw.head));
}

static void request_of_v4(void **state)
{
	struct raw_event raw;
	struct destroy_message message;
	const struct inet_diag_req_v2 *request = &message.request;

	(void)state;
	refused_name(&raw, "203.0.113.7", "10.0.0.1");
	destroy_build(&raw.head, &message);
	assert_int_equal(message.head.nlmsg_len, sizeof(message));
	assert_int_equal(message.head.nlmsg_type, SOCK_DESTROY);
	assert_int_equal(message.head.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(request->sdiag_family, AF_INET);
	assert_int_equal(request->sdiag_protocol, IPPROTO_TCP);
	assert_int_equal(ntohs(request->id.idiag_sport), 40001);
	assert_int_equal(ntohs(request->id.idiag_dport), 443);
	assert_int_equal(ntohl(request->id.idiag_src[0]), 0x0a000001);
	assert_int_equal(ntohl(request->id.idiag_dst[0]), 0xcb007107);
	assert_int_equal(request->id.idiag_src[1] | request->id.idiag_dst[1], 0);
	assert_int_equal(request->id.idiag_cookie[0], 0x55667788);
	assert_int_equal(request->id.idiag_cookie[1], 0x11223344);
}

/* An IPv6 socket that speaks IPv4 has the family inet6 in its record. */
static void request_of_v6(void **state)
{
	struct raw_event raw;
	struct destroy_message message;
	struct in6_addr expected;

	(void)state;
	refused_name(&raw, "2001:db8::1", "2001:db8::2");
	destroy_build(&raw.head, &message);
	assert_int_equal(message.request.sdiag_family, AF_INET6);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::2", &expected), 1);
	assert_memory_equal(message.request.id.idiag_src, &expected, 16);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &expected), 1);
	assert_memory_equal(message.request.id.idiag_dst, &expected, 16);
	refused_name(&raw, "::ffff:203.0.113.7", "::ffff:10.0.0.1");
	assert_int_equal(raw.head.family, AF_INET6);
	destroy_build(&raw.head, &message);
	assert_int_equal(message.request.sdiag_family, AF_INET);
	assert_int_equal(ntohl(message.request.id.idiag_src[0]), 0x0a000001);
}

static void says_failures_once(void **state)
{
	struct destroyer destroyer = DESTROYER_NONE;
	struct diag_list diags = { 0 };

	(void)state;
	destroy_explain(&destroyer, &diags);
	assert_int_equal(diags.count, 0);
	destroyer.failed = 3;
	destroyer.error = EOPNOTSUPP;
	destroy_explain(&destroyer, &diags);
	assert_int_equal(diags.count, 1);
	assert_int_equal(diags.items[0].severity, DIAG_WARNING);
	assert_string_equal(diags.items[0].message,
			    "3 refused connections could not be ended at once (the kernel is built "
			    "without CONFIG_INET_DIAG_DESTROY): nothing left them, but the program "
			    "waits until it gives up");
	diag_list_reset(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_records),
		cmocka_unit_test(request_of_v4),
		cmocka_unit_test(request_of_v6),
		cmocka_unit_test(says_failures_once),
	};

	return cmocka_run_group_tests_name("destroy", tests, NULL, NULL);
}
