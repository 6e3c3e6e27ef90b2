/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Approvals: what layers become in an image, that nothing of them is there where nothing asks, and each
 * promise of these parts of an image broken once. What is printed about faults is in tests/cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "policies.h"
#include "policy/asks.h"
#include "policy/decide.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define ASKS "picket: 1\nfiles: {default: allow, rules: [{ask: \"/srv/**\"}]}\n"
#define ASKS_NOTHING "picket: 1\nfiles: {default: allow}\n"

/* Compile the layers @texts; the number of warnings in *@ret_warnings. */
static struct policy_image compile(const char *const *texts, size_t count, size_t *ret_warnings)
{
	struct policy *layers[PK_LAYERS_MAX] = { NULL };
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };
	const char *why = "nothing";

	for (size_t i = 0; i < count; i++)
		layers[i] = policy_text_load("t.yaml", texts[i]);
	assert_int_equal(policy_compile((const struct policy *const *)layers, count, NULL, &image,
					&diags),
			 0);
	if (image_validate(image.bytes, image.size, &why))
		fail_msg("%s", why);
	*ret_warnings = diags.count;
	diag_list_reset(&diags);
	for (size_t i = 0; i < count; i++)
		policy_free(&layers[i]);
	return image;
}

static struct pk_image *head(struct policy_image *image)
{
	return (struct pk_image *)(void *)image->bytes;
}

static struct pk_rule *rules(struct policy_image *image)
{
	return (struct pk_rule *)(void *)(image->bytes + head(image)->part[PK_PART_RULES].offset);
}

/** Layers, from the top, and what they come to. */
struct row {
	const char *layers[3];
	size_t count;
	__u32 flags;
	__u32 timeout;
	__u32 approvers;
	const char *hook;
	size_t warnings;
};

#define HOLD PK_IMAGE_HOLD
#define EGRESS PK_IMAGE_ASKS_EGRESS

static const struct row rows[] = {
	{ { ASKS_NOTHING }, 1, 0, 0, 0, "", 0 },
	{ { ASKS_NOTHING "approvals: {timeout: 1m, hook: /h, approvers: 2}\n" }, 1, 0, 0, 0, "", 1 },
	{ { ASKS }, 1, HOLD, 300, 1, "", 0 },
	{ { ASKS "approvals: {}\n" }, 1, HOLD, 300, 1, "", 0 },
	{ { ASKS "approvals: {on_ask: deny, timeout: 24h, hook: /usr/sbin/h, approvers: 8}\n" },
	  1,
	  0,
	  86400,
	  8,
	  "/usr/sbin/h",
	  0 },
	{ { "picket: 1\negress: {default: ask}\n" }, 1, HOLD | EGRESS, 300, 1, "", 0 },
	{ { "picket: 1\negress: {default: deny, rules: [{ask: 192.0.2.1}]}\n" },
	  1,
	  HOLD | EGRESS,
	  300,
	  1,
	  "",
	  0 },
	{ { "picket: 1\nprocess: {ptrace: ask}\n" }, 1, HOLD, 300, 1, "", 0 },
	{ { "picket: 1\nexec: {default: ask}\n" }, 1, HOLD, 300, 1, "", 0 },
	/* Refusing wins, wherever it stands. */
	{ { ASKS_NOTHING "approvals: {on_ask: deny}\n", ASKS "approvals: {on_ask: hold}\n" },
	  2,
	  0,
	  300,
	  1,
	  "",
	  0 },
	{ { ASKS "approvals: {on_ask: hold}\n", ASKS "approvals: {on_ask: deny}\n" },
	  2,
	  0,
	  300,
	  1,
	  "",
	  0 },
	/* The shortest time, the most approvers, the highest hook; who says nothing has no say. */
	{ { ASKS_NOTHING "approvals: {timeout: 2h, approvers: 2}\n", ASKS_NOTHING,
	    ASKS "approvals: {timeout: 1h, approvers: 3, hook: /low}\n" },
	  3,
	  HOLD,
	  3600,
	  3,
	  "/low",
	  0 },
	{ { ASKS_NOTHING "approvals: {timeout: 90s, hook: /high}\n", ASKS,
	    ASKS "approvals: {timeout: 1h, hook: /low}\n" },
	  3,
	  HOLD,
	  90,
	  1,
	  "/high",
	  0 },
	/* A layer above bounds the policies that ask; of those that do not it says nothing. */
	{ { ASKS_NOTHING "approvals: {timeout: 90s}\n", ASKS_NOTHING }, 2, 0, 0, 0, "", 0 },
	{ { ASKS, ASKS_NOTHING "approvals: {timeout: 90s}\n" }, 2, HOLD, 90, 1, "", 0 },
};

static void layers_narrow(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		size_t warnings = 0;
		CLEAN(image_reset)
		struct policy_image image = compile(row->layers, row->count, &warnings);
		__u32 flags = head(&image)->flags & (HOLD | EGRESS);

		if (flags != row->flags || head(&image)->ask_timeout != row->timeout ||
		    head(&image)->ask_approvers != row->approvers || warnings != row->warnings ||
		    strcmp(image_string(&image, head(&image)->ask_hook), row->hook) != 0)
			fail_msg("row %zu: flags %u, %u s, %u approvers, '%s', %zu warnings", i,
				 flags, head(&image)->ask_timeout, head(&image)->ask_approvers,
				 image_string(&image, head(&image)->ask_hook), warnings);
		assert_int_equal(asks_image(&image), row->timeout != 0);
	}
}

/* A rule's own number, or the layers', whichever is more; rules that do not ask have none. */
static void approvers_of_rules(void **state)
{
	static const char *const texts[] = {
		"picket: 1\nfiles: {default: allow}\napprovals: {approvers: 3}\n",
		"picket: 1\nfiles:\n  rules:\n    - {ask: /a}\n    - {ask: /b, approvers: 2}\n"
		"    - {ask: /c, approvers: 8}\n    - {deny: /d}\n    - {allow: /e, access: read}\n",
	};
	static const __u32 both[] = { 3, 3, 8, 1, 1 };
	static const __u32 alone[] = { 1, 2, 8, 1, 1 };
	size_t warnings;
	CLEAN(image_reset) struct policy_image below = compile(texts, 2, &warnings);
	CLEAN(image_reset) struct policy_image single = compile(texts + 1, 1, &warnings);

	(void)state;
	for (size_t i = 0; i < COUNT(both); i++) {
		assert_int_equal(pk_rule_approvers(&rules(&below)[i]), both[i]);
		assert_int_equal(pk_rule_approvers(&rules(&single)[i]), alone[i]);
		assert_int_equal(pk_rule_access(&rules(&below)[i]), i == 4 ? 1 : 15);
	}
}

/* The strictest word of all layers, and who says it. */
static void switches_of_layers(void **state)
{
	static const char *const texts[] = {
		"picket: 1\nprocess: {ptrace: ask, mounts: allow, perf: ask, signals: deny}\n",
		"picket: 1\nprocess: {ptrace: allow, mounts: ask, perf: deny, signals: ask}\n",
	};
	static const struct {
		enum pk_guard guard;
		enum pk_verdict verdict;
		__u32 layer;
	} expected[] = {
		{ PK_GUARD_PTRACE, PK_VERDICT_ASK, 0 },
		{ PK_GUARD_MOUNTS, PK_VERDICT_ASK, 1 },
		{ PK_GUARD_PERF, PK_VERDICT_DENY, 1 },
		{ PK_GUARD_SIGNALS, PK_VERDICT_DENY, 0 },
	};
	size_t warnings;
	CLEAN(image_reset) struct policy_image image = compile(texts, 2, &warnings);

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct pk_result result = decide_guard(&image, expected[i].guard);

		assert_int_equal(result.verdict, expected[i].verdict);
		assert_int_equal(result.reason, PK_REASON_GUARD);
		assert_int_equal(image_rule(&image, result.rule)->layer, expected[i].layer);
		assert_int_equal(image_rule(&image, result.rule)->verdict, expected[i].verdict);
	}
}

/* Break promise number @which of an image that asks; false: no such number. */
static bool break_asks(struct policy_image *i, int which)
{
	switch (which) {
	case 0:
		head(i)->flags &= ~PK_IMAGE_ASKS_EGRESS;
		return true;
	case 1:
		head(i)->ask_timeout = 0;
		return true;
	case 2:
		head(i)->ask_timeout = PK_ASK_TIMEOUT_MAX + 1;
		return true;
	case 3:
		head(i)->ask_approvers = 0;
		return true;
	case 4:
		head(i)->ask_approvers = PK_APPROVERS_MAX + 1;
		return true;
	case 5:
		head(i)->ask_approvers = 3; /* a rule has two */
		return true;
	case 6:
		head(i)->ask_hook = 2;
		return true;
	case 7:
		head(i)->ask_hook = head(i)->part[PK_PART_STRINGS].size;
		return true;
	case 8:
		rules(i)[0].access |= 0x80; /* over eight */
		return true;
	case 9:
		rules(i)[1].access |= 0x10; /* allows, and takes two */
		return true;
	case 10:
		head(i)->guards.deny |= 1U << PK_GUARD_PTRACE;
		return true;
	case 11:
		head(i)->guards.ask = 0; /* the words say ask */
		return true;
	case 12:
		head(i)->guards.ask |= 1U << PK_GUARD_CAPABILITIES;
		head(i)->guards.deny &= ~(1U << PK_GUARD_CAPABILITIES);
		return true;
	default:
		return false;
	}
}

static void finds_broken_approvals(void **state)
{
	static const char *const text[] = {
		"picket: 1\negress: {rules: [{ask: 192.0.2.1, approvers: 2}, {allow: 192.0.2.2}]}\n"
		"process: {ptrace: ask}\napprovals: {hook: /usr/sbin/h, approvers: 2}\n",
	};
	bool broken = true;

	(void)state;
	for (int which = 0; broken; which++) {
		size_t warnings;
		CLEAN(image_reset) struct policy_image image = compile(text, 1, &warnings);

		broken = break_asks(&image, which);
		assert_int_equal(image_seal(&image), 0);
		if (broken && image_validate(image.bytes, image.size, NULL) == 0)
			fail_msg("breaker %d", which);
	}
}

/* Nothing of them may be there when nothing asks: a reader need not look for two signs. */
static void finds_approvals_of_nothing(void **state)
{
	static const char *const text[] = { ASKS_NOTHING };

	(void)state;
	for (int which = 0; which < 5; which++) {
		size_t warnings;
		CLEAN(image_reset) struct policy_image image = compile(text, 1, &warnings);
		__u32 *const fields[] = {
			&head(&image)->ask_timeout,
			&head(&image)->ask_approvers,
			&head(&image)->ask_hook,
		};

		if (which < 3)
			*fields[which] = which == 2 ? head(&image)->name : 1;
		else
			head(&image)->flags |= which == 3 ? HOLD : EGRESS;
		assert_int_equal(image_seal(&image), 0);
		if (image_validate(image.bytes, image.size, NULL) == 0)
			fail_msg("breaker %d", which);
	}
}

static void times_as_the_language_has_them(void **state)
{
	static const struct {
		__u32 seconds;
		const char *text;
	} times[] = { { 1, "1s" },   { 60, "1m" },     { 90, "90s" },
		      { 300, "5m" }, { 3600, "1h" },   { 5400, "90m" },
		      { 0, "0s" },   { 86400, "24h" }, { 4294967295U, "4294967295s" } };
	char text[ASKS_TIME_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++)
		assert_string_equal(asks_time(times[i].seconds, text), times[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_narrow),
		cmocka_unit_test(approvers_of_rules),
		cmocka_unit_test(switches_of_layers),
		cmocka_unit_test(finds_broken_approvals),
		cmocka_unit_test(finds_approvals_of_nothing),
		cmocka_unit_test(times_as_the_language_has_them),
	};

	return cmocka_run_group_tests_name("asks", tests, NULL, NULL);
}
