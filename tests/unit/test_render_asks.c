/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text form of events about what rules ask: what came of it, and what can be done now.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "events.h"
#include "policies.h"
#include "telemetry/render.h"

static void expect_line(const struct raw_event *raw, const struct event_context *context,
			const char *expected)
{
	struct event event = raw_event_decode(raw);
	CLEAN_FREE char *line = NULL;

	assert_int_equal(render_event(&event, context, &line), 0);
	assert_string_equal(line, expected);
}

#define BY_CURL "  curl[4121] < bash[4100]  "

static void approval_is_refused(void **state)
{
	struct raw_event raw;
	struct event_context context = { 0 };

	(void)state;
	raw_event_connect(&raw, "10.0.0.1", 443);
	raw.head.verdict = PK_VERDICT_ASK;
	raw.head.reason = PK_REASON_APPROVAL;
	expect_line(&raw, &context,
		    "01:00:00 DENIED connect 10.0.0.1:443" BY_CURL
		    "default ask of egress, and approval is not available\n");
	raw.head.rule = 7;
	raw.head.audit = 1;
	expect_line(&raw, &context,
		    "01:00:00 WOULD DENY connect 10.0.0.1:443" BY_CURL
		    "rule number 7, and approval is not available\n");
}

/** What comes of an act that is asked about. */
struct answer {
	enum pk_reason reason;
	enum pk_verdict verdict;
	const char *line;
};

/* The hash whose name is r-zi55fvxmaaaa. */
static void set_request(struct raw_event *raw)
{
	static const unsigned char hash[16] = { 0xca, 0x3b, 0xd2, 0xd6, 0xec };

	memcpy(raw->head.ask, hash, sizeof(hash));
	raw->head.grant = 7;
}

static void answers_to_requests(void **state)
{
	static const struct answer answers[] = {
		{ PK_REASON_HELD, PK_VERDICT_ASK,
		  "01:00:00 WAITS connect 10.0.0.1:443" BY_CURL
		  "rule ask@4 (out) \"a person decides\", it waits for an approval: "
		  "picket approve r-zi55fvxmaaaa\n" },
		{ PK_REASON_PENDING, PK_VERDICT_ASK,
		  "01:00:00 DENIED connect 10.0.0.1:443" BY_CURL
		  "rule ask@4 (out) \"a person decides\", it needs an approval, and can be tried "
		  "again then: picket approve r-zi55fvxmaaaa\n" },
		{ PK_REASON_UNHELD, PK_VERDICT_ASK,
		  "01:00:00 DENIED connect 10.0.0.1:443" BY_CURL
		  "rule ask@4 (out) \"a person decides\", it needs an approval that this call "
		  "cannot wait for, and can be tried again then: picket approve r-zi55fvxmaaaa\n" },
		{ PK_REASON_GRANTED, PK_VERDICT_ALLOW,
		  "01:00:00 GRANTED connect 10.0.0.1:443" BY_CURL
		  "rule ask@4 (out) \"a person decides\", by grant 7\n" },
		{ PK_REASON_REFUSED, PK_VERDICT_ASK,
		  "01:00:00 REFUSED connect 10.0.0.1:443" BY_CURL
		  "rule ask@4 (out) \"a person decides\", it was not approved\n" },
	};
	CLEAN(image_reset)
	struct policy_image image = policy_text_compile(
		"p.yaml", "picket: 1\negress:\n  rules:\n    - {ask: \"*:443\", id: out, "
			  "reason: a person decides}\n");
	struct event_context context = { .image = &image, .main_file = "p.yaml" };
	struct raw_event raw;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		raw_event_connect(&raw, "10.0.0.1", 443);
		set_request(&raw);
		raw.head.rule = 0;
		raw.head.reason = (__u8)answers[i].reason;
		raw.head.verdict = (__u8)answers[i].verdict;
		expect_line(&raw, &context, answers[i].line);
	}
	/* By a default, and by a switch. */
	raw_event_connect(&raw, "10.0.0.1", 80);
	set_request(&raw);
	raw.head.verdict = PK_VERDICT_ASK;
	raw.head.reason = PK_REASON_HELD;
	expect_line(
		&raw, &context,
		"01:00:00 WAITS connect 10.0.0.1:80" BY_CURL
		"default ask of egress, it waits for an approval: picket approve r-zi55fvxmaaaa\n");
	raw_event_guard(&raw, PK_OP_PERF, PK_GUARD_PERF);
	set_request(&raw);
	raw.head.verdict = PK_VERDICT_ALLOW;
	raw.head.reason = PK_REASON_GRANTED;
	raw.head.rule = 5;
	context.image = NULL;
	expect_line(&raw, &context,
		    "01:00:00 GRANTED perf  cat[4121] < bash[4100]  "
		    "rule process.perf (number 5), by grant 7\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(approval_is_refused),
		cmocka_unit_test(answers_to_requests),
	};

	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests_name("render_asks", tests, NULL, NULL);
}
