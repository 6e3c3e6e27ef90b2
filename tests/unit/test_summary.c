/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The summary of a run: what belongs together, how it reads, and that its memory has bounds.
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
#include "telemetry/summary.h"

static char *print(const struct summary *summary, const struct event_context *context)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(summary_print(summary, context, to), 0);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static void add(struct summary *summary, const struct raw_event *raw, unsigned int times)
{
	struct event event = raw_event_decode(raw);

	for (unsigned int i = 0; i < times; i++)
		summary_add(summary, &event);
}

static void nothing_happened(void **state)
{
	CLEAN(summary_free) struct summary *summary = NULL;
	CLEAN_FREE char *text = NULL;
	struct event_context context = { 0 };
	struct raw_event raw;

	(void)state;
	assert_int_equal(summary_new(&summary), 0);
	raw_event_open(&raw, "/x");
	raw.head.kind = PK_EVENT_ACTIVITY;
	raw.head.verdict = PK_VERDICT_ALLOW;
	add(summary, &raw, 3);
	text = print(summary, &context);
	assert_string_equal(text, "");
	assert_int_equal(summary_denials(summary), 0);
}

static const char mixed_policy[] = "picket: 1\n"
				   "name: mixed\n"
				   "egress:\n"
				   "  rules: []\n"
				   "files:\n"
				   "  rules:\n"
				   "    - {allow: \"/home/**\", access: [read]}\n"
				   "    - {deny: \"**/.ssh/**\", reason: no keys}\n";

static void groups_by_rule_with_lines(void **state)
{
	CLEAN(summary_free) struct summary *summary = NULL;
	CLEAN(image_reset) struct policy_image image = policy_text_compile("m.yaml", mixed_policy);
	struct event_context context = { .image = &image, .main_file = "m.yaml" };
	CLEAN_FREE char *text = NULL;
	struct raw_event raw;

	(void)state;
	assert_int_equal(summary_new(&summary), 0);
	raw_event_open(&raw, "/home/u/.ssh/id");
	raw.head.reason = PK_REASON_RULE;
	raw.head.rule = 1;
	add(summary, &raw, 2);
	raw_event_connect(&raw, "10.0.0.1", 443);
	add(summary, &raw, 1);
	raw_event_open(&raw, "/home/u/f");
	raw.head.access = PK_ACCESS_READ | PK_ACCESS_WRITE;
	add(summary, &raw, 4);
	raw.head.op = PK_OP_UNLINK;
	raw.head.access = PK_ACCESS_WRITE;
	add(summary, &raw, 1);
	text = print(summary, &context);
	assert_string_equal(
		text,
		"picket: 8 denials\n"
		"\n"
		"     5 x  default deny of files\n"
		"        to allow it, add to the rules of 'files':\n"
		"          - {allow: \"/home/u/f\", access: [write]}  # 5 times\n"
		"\n"
		"     2 x  rule deny@8 \"no keys\"\n"
		"         2  open /home/u/.ssh/id\n"
		"        deny rule at m.yaml:8:14 decides, no allow overrides it; remove or narrow "
		"it: **/.ssh/**\n"
		"\n"
		"     1 x  default deny of egress\n"
		"        to allow it, add to the rules of 'egress':\n"
		"          - {allow: \"10.0.0.1:443\", protocol: tcp}  # 1 time\n"
		"\n");
	assert_int_equal(summary_denials(summary), 8);
}

static const char asking_policy[] = "picket: 1\n"
				    "egress:\n"
				    "  default: ask\n"
				    "files:\n"
				    "  default: allow\n"
				    "  rules:\n"
				    "    - {ask: \"/srv/**\"}\n";

/* An act that waits is no denial; one that is refused until it is approved is, and says how. */
static void counts_answers(void **state)
{
	static const unsigned char hash[16] = { 0xca, 0x3b, 0xd2, 0xd6, 0xec };
	CLEAN(summary_free) struct summary *summary = NULL;
	CLEAN(image_reset) struct policy_image image = policy_text_compile("a.yaml", asking_policy);
	struct event_context context = { .image = &image, .main_file = "a.yaml" };
	CLEAN_FREE char *waiting = NULL;
	CLEAN_FREE char *text = NULL;
	struct raw_event raw;

	(void)state;
	assert_int_equal(summary_new(&summary), 0);
	raw_event_open(&raw, "/srv/f");
	memcpy(raw.head.ask, hash, sizeof(hash));
	raw.head.rule = 0;
	raw.head.reason = PK_REASON_HELD;
	raw.head.verdict = PK_VERDICT_ASK;
	add(summary, &raw, 2);
	raw.head.reason = PK_REASON_GRANTED;
	raw.head.verdict = PK_VERDICT_ALLOW;
	add(summary, &raw, 1);
	assert_int_equal(summary_denials(summary), 0);
	waiting = print(summary, &context);
	assert_string_equal(waiting, "picket: approvals: 2 waited, 1 granted, 0 refused\n");
	raw.head.reason = PK_REASON_REFUSED;
	raw.head.verdict = PK_VERDICT_ASK;
	add(summary, &raw, 1);
	raw.head.reason = PK_REASON_PENDING;
	add(summary, &raw, 3);
	raw_event_connect(&raw, "10.0.0.1", 443);
	memcpy(raw.head.ask, hash, sizeof(hash));
	raw.head.reason = PK_REASON_UNHELD;
	raw.head.verdict = PK_VERDICT_ASK;
	add(summary, &raw, 2);
	text = print(summary, &context);
	expect_in(text, "picket: 6 denials\n\n");
	expect_in(text, "     3 x  rule ask@7, it needs an approval, and can be tried again then\n"
			"         3  open /srv/f  # picket approve r-zi55fvxmaaaa\n"
			"        ask rule at a.yaml:7:13 decides,");
	expect_in(text, "     2 x  default ask of egress, it needs an approval that this call "
			"cannot wait for, and can be tried again then\n"
			"         2  connect 10.0.0.1:443  # picket approve r-zi55fvxmaaaa\n"
			"        to allow it, add to the rules of 'egress':\n");
	expect_in(text, "     1 x  rule ask@7, it was not approved\n"
			"         1  open /srv/f\n");
	expect_in(text, "\npicket: approvals: 2 waited, 1 granted, 1 refused\n");
}

static void names_have_one_line_each(void **state)
{
	CLEAN(summary_free) struct summary *summary = NULL;
	CLEAN_FREE char *text = NULL;
	struct event_context context = { 0 };
	struct raw_event raw;

	(void)state;
	assert_int_equal(summary_new(&summary), 0);
	raw_event_host(&raw, PK_OP_DNS, "evil.example", "127.0.0.53", 53);
	raw.head.detail = 1;
	add(summary, &raw, 2);
	raw.head.detail = 28;
	raw.head.address[15] = 1;
	add(summary, &raw, 2);
	raw_event_connect(&raw, "169.254.169.254", 80);
	add(summary, &raw, 1);
	raw_event_host(&raw, PK_OP_DNS, "long.example", "127.0.0.53", 53);
	raw.head.reason = PK_REASON_DNS_LONG;
	raw.head.rule = PK_RULE_NONE;
	add(summary, &raw, 1);
	text = print(summary, &context);
	assert_string_equal(text, "picket: 6 denials\n"
				  "\n"
				  "     5 x  default deny of egress\n"
				  "         1  connect 169.254.169.254:80\n"
				  "        to allow it, add to the rules of 'egress':\n"
				  "          - {allow: \"evil.example:443\"}  # 4 times\n"
				  "\n"
				  "     1 x  the name is longer than dns.max_name allows\n"
				  "         1  dns long.example\n"
				  "        'max_name' of 'dns' in 'egress' sets the limit\n"
				  "\n");
}

static void isolation_has_no_line(void **state)
{
	CLEAN(summary_free) struct summary *summary = NULL;
	CLEAN_FREE char *text = NULL;
	struct event_context context = { 0 };
	struct raw_event raw;

	(void)state;
	assert_int_equal(summary_new(&summary), 0);
	raw_event_open(&raw, "/mnt");
	raw.head.op = PK_OP_MOUNT;
	raw.head.reason = PK_REASON_MOUNT;
	raw.head.rule = PK_RULE_NONE;
	add(summary, &raw, 1);
	text = print(summary, &context);
	assert_string_equal(text, "picket: 1 denial\n"
				  "\n"
				  "     1 x  mounting would give files other names\n"
				  "         1  mount /mnt\n"
				  "        no policy line allows it\n"
				  "\n");
}

static void losses_are_told(void **state)
{
	CLEAN(summary_free) struct summary *summary = NULL;
	CLEAN_FREE char *text = NULL;
	struct event_context context = { 0 };
	__u64 counts[PK_COUNT__MAX] = { [PK_COUNT_DECISION_LOST] = 7, [PK_COUNT_DENIED] = 9 };

	(void)state;
	assert_int_equal(summary_new(&summary), 0);
	summary_set_counts(summary, counts);
	summary_add_malformed(summary);
	text = print(summary, &context);
	expect_in(text, "picket: 7 decisions took effect but are not shown");
	expect_in(text, "picket: 1 event records were malformed");
}

/* Denials of ever new long paths by ever new rules: the memory stays in bounds, the count is kept. */
static void memory_is_bounded(void **state)
{
	CLEAN(summary_free) struct summary *summary = NULL;
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *path = malloc(PK_PATH_MAX + 1);
	struct event_context context = { 0 };
	struct raw_event raw;
	const unsigned int rules = SUMMARY_GROUPS_MAX + 50;
	const unsigned int objects = SUMMARY_OBJECTS_MAX + 8;

	(void)state;
	assert_non_null(path);
	assert_int_equal(summary_new(&summary), 0);
	memset(path, 'a', PK_PATH_MAX);
	path[0] = '/';
	path[PK_PATH_MAX] = '\0';
	for (unsigned int i = 0; i < rules * objects; i++) {
		(void)snprintf(path + 1, 12, "%010u", i);
		path[11] = 'a';
		raw_event_open(&raw, path);
		raw.head.reason = PK_REASON_RULE;
		raw.head.rule = i % rules;
		add(summary, &raw, 1);
	}
	assert_int_equal(summary_denials(summary), rules * objects);
	text = print(summary, &context);
	expect_in(text, "picket: 2000 denials by further rules are not listed");
	expect_in(text, "more on other objects");
	assert_true(strlen(text) < 4U * SUMMARY_BYTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_happened),
		cmocka_unit_test(groups_by_rule_with_lines),
		cmocka_unit_test(counts_answers),
		cmocka_unit_test(names_have_one_line_each),
		cmocka_unit_test(isolation_has_no_line),
		cmocka_unit_test(losses_are_told),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
