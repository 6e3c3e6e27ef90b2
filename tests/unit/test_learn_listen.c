/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Learning who may connect: what becomes of listeners and of those that came, and that the policy has them in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "author/learn.h"
#include "base/mem.h"

#define EVENT(op, protocol, keys)                                                                  \
	"{\"schema\":\"picket.event/1\",\"time\":\"2026-01-02T03:04:05.0Z\",\"verdict\":\"deny\"," \
	"\"op\":\"" op "\",\"section\":\"listen\",\"access\":[\"" protocol "\"],\"audit\":true,"   \
	"\"reason\":\"default\",\"process\":{\"comm\":\"nginx\",\"id\":\"7-1\"}," keys "}\n"
#define BIND(address, port) EVENT("bind", "tcp", "\"address\":\"" address "\",\"port\":" #port)
#define COME(protocol, peer, address, port)                                                        \
	EVENT("accept", protocol,                                                                  \
	      "\"address\":\"" peer "\",\"local_address\":\"" address "\",\"local_port\":" #port   \
	      ",\"port\":" #port)
#define MANY(last) COME("tcp", "203.0.113." #last, "192.0.2.1", 443)
#define NARROW "by nginx; more than 8 peers, so everybody may connect: narrow it by 'from'"

/* Events, and lines of the policy that is made of them; NULL: no more. */
static const struct {
	const char *events;
	const char *lines[4];
} lessons[] = {
	/* Over loopback nobody else can come. */
	{ BIND("127.0.0.1", 8080) COME("tcp", "127.0.0.1", "127.0.0.1", 8080),
	  { "{allow: \"@loopback:8080\", protocol: [tcp]}" } },
	{ BIND("127.0.0.1", 45678), { "{allow: \"@loopback:32768-65535\", protocol: [tcp]}" } },
	/* Those that came, and nobody else. */
	{ BIND("192.0.2.1", 443) COME("tcp", "203.0.113.9", "192.0.2.1", 443)
		  COME("tcp", "203.0.113.8", "192.0.2.1", 443),
	  { "{allow: \"192.0.2.1:443\", from: [\"203.0.113.8\", \"203.0.113.9\"], protocol: [tcp]}" } },
	{ BIND("2001:db8::1", 443) COME("tcp", "2001:db8::9", "2001:db8::1", 443),
	  { "{allow: \"[2001:db8::1]:443\", from: [\"2001:db8::9\"], protocol: [tcp]}" } },
	{ BIND("192.0.2.1", 443),
	  { "nobody else connected, so nobody else may",
	    "{allow: \"192.0.2.1:443\", from: [\"@loopback\"], protocol: [tcp]}" } },
	/* This host's own address is reached from elsewhere, and from itself. */
	{ BIND("192.0.2.7", 443) COME("tcp", "192.0.2.7", "192.0.2.7", 443),
	  { "{allow: \"192.0.2.7:443\", from: [\"192.0.2.7\"], protocol: [tcp]}" } },
	/* All rules of a port have the same peers, of both protocols. */
	{ BIND("0.0.0.0", 53) COME("udp", "203.0.113.8", "192.0.2.1", 53)
		  COME("tcp", "127.0.0.1", "127.0.0.1", 53) BIND("192.0.2.1", 54),
	  { "{allow: \"@loopback:53\", from: [\"@loopback\", \"203.0.113.8\"], protocol: [tcp]}",
	    "{allow: \"192.0.2.1:53\", from: [\"@loopback\", \"203.0.113.8\"], protocol: [udp]}",
	    "{allow: \"192.0.2.1:54\", from: [\"@loopback\"], protocol: [tcp]}" } },
	/* Ports that the kernel chose are one range, whose rules share them, too. */
	{ BIND("127.0.0.1", 45678) COME("tcp", "203.0.113.8", "192.0.2.1", 40000),
	  { "{allow: \"@loopback:32768-65535\", from: [\"@loopback\", \"203.0.113.8\"], ",
	    "{allow: \"192.0.2.1:40000\", from: [\"@loopback\", \"203.0.113.8\"], " } },
	/* And so do all rules where one is for all ports. */
	{ BIND("0.0.0.0", 0) COME("tcp", "203.0.113.8", "192.0.2.1", 443),
	  { "{allow: \"@loopback:*\", from: [\"@loopback\", \"203.0.113.8\"], ",
	    "{allow: \"192.0.2.1:443\", from: [\"@loopback\", \"203.0.113.8\"], " } },
	/* A crowd is no list. */
	{ MANY(1) MANY(2) MANY(3) MANY(4) MANY(5) MANY(6) MANY(7) MANY(8) MANY(9),
	  { NARROW, "{allow: \"192.0.2.1:443\", protocol: [tcp]}" } },
};

static void listeners_and_peers_are_learned(void **state)
{
	static const struct policy_variable builtins[] = { { "HOME", "/home/u" }, { "USER", "u" } };
	static struct policy_range own = {
		.low = { [10] = 0xff, 0xff, 192, 0, 2, 7 },
		.high = { [10] = 0xff, 0xff, 192, 0, 2, 7 },
	};
	static const struct policy_host host = { .own = &own, .own_count = 1 };
	static const struct policy_context context = {
		.builtins = builtins,
		.builtin_count = 2,
		.host = &host,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lessons) / sizeof(*lessons); i++) {
		CLEAN(recording_reset) struct recording recording = { 0 };
		CLEAN(learn_result_reset) struct learn_result result = { 0 };
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };
		CLEAN_FILE FILE *from =
			fmemopen((void *)lessons[i].events, strlen(lessons[i].events), "r");

		assert_int_equal(recording_read(&recording, from, "r.jsonl", &diags), 0);
		assert_int_equal(recording_finish(&recording), 0);
		if (learn_policy(&recording, "learned", &context, &result, &diags) < 0) {
			diag_print(&diags, stderr);
			fail_msg("lesson %zu", i);
		}
		for (size_t j = 0; j < 4 && lessons[i].lines[j]; j++) {
			if (!strstr(result.text, lessons[i].lines[j]))
				fail_msg("lesson %zu: no '%s' in:\n%s", i, lessons[i].lines[j],
					 result.text);
		}
		/* What was learned allows all of it: each act was judged by it. */
		assert_int_equal(result.left_count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listeners_and_peers_are_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
