/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The automaton of host names: against the reference, its size, and what is decided by a name, an
 * address that was learned for one, and a question.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "builder.h"
#include "dice.h"
#include "naive.h"
#include "policies.h"
#include "policy/compile.h"
#include "policy/decide.h"
#include "policy/dump.h"
#include "policy/load.h"

#define PAIRS 250000
#define PATTERNS 12
#define NAMES 200

/* What the reference says, by the number of the first pattern that matches; -1: none. */
static int reference(char patterns[PATTERNS][DICE_HOST_MAX], const char *name)
{
	for (int i = 0; i < PATTERNS; i++)
		if (naive_host(patterns[i], name, NAIVE_RIGHT))
			return i;
	return -1;
}

static struct policy *roll_policy(struct dice *dice, char patterns[PATTERNS][DICE_HOST_MAX])
{
	struct policy *policy = build_policy("hosts");

	build_section(policy, PK_SECTION_EGRESS, PK_VERDICT_DENY);
	for (int i = 0; i < PATTERNS; i++) {
		build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_EGRESS);
		dice_pattern(dice, patterns[i]);
		build_host(policy, patterns[i])->pos.file = NULL;
	}
	return policy;
}

static void matches_like_the_reference(void **state)
{
	struct dice dice = { .state = 4 };
	size_t matched = 0;

	(void)state;
	for (size_t pairs = 0; pairs < PAIRS;) {
		char patterns[PATTERNS][DICE_HOST_MAX];
		struct policy *policy = roll_policy(&dice, patterns);
		struct policy_image image = build_image(&policy, 1);
		struct pk_query query = { PK_SECTION_EGRESS, PK_ACCESS_TCP, 443, 0, 0 };

		for (int i = 0; i < NAMES; i++, pairs++) {
			char name[DICE_HOST_MAX];
			struct pk_result result;
			int got, want;

			dice_name(&dice, &policy, 1, name);
			assert_int_equal(decide_host(&image, name, &query, &result), 0);
			got = result.reason == PK_REASON_RULE ? (int)result.rule : -1;
			want = reference(patterns, name);
			matched += want >= 0;
			if (got != want)
				fail_msg("'%s': rule %d, reference %d", name, got, want);
		}
		image_reset(&image);
		policy_free(&policy);
	}
	printf("# %zu of %u names matched\n", matched, PAIRS);
	assert_in_range(matched, PAIRS / 4, PAIRS - PAIRS / 8);
}

static __u32 states_of(const struct policy_image *image)
{
	struct dump_figures figures;

	assert_int_equal(dump_count(image, &figures), 0);
	return figures.states;
}

/* @count names in @count / 10 domains, some with all below them. */
static struct policy_image many_names(unsigned int count, double *ret_seconds, size_t *ret_bytes)
{
	struct policy *policy = build_policy("many");
	struct policy_image image;
	struct timespec from, to;
	char host[64];

	*ret_bytes = 0;
	build_section(policy, PK_SECTION_EGRESS, PK_VERDICT_DENY);
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_EGRESS);
	for (unsigned int i = 0; i < count; i++) {
		(void)snprintf(host, sizeof(host), "%sh%u.d%u.example%u.com", i % 3 ? "" : "*.", i,
			       i % (count / 10), i % 7);
		*ret_bytes += strlen(host);
		build_host(policy, host);
		if (i % 3 == 0)
			build_ports(policy, 443, 443);
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	image = build_image(&policy, 1);
	clock_gettime(CLOCK_MONOTONIC, &to);
	*ret_seconds =
		(double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	policy_free(&policy);
	return image;
}

static void states_grow_with_the_text(void **state)
{
	double seconds;
	size_t bytes;

	(void)state;
	for (unsigned int count = 1000; count <= 10000; count *= 10) {
		struct policy_image image = many_names(count, &seconds, &bytes);
		__u32 states = states_of(&image);

		printf("# %u names: %u states, %zu bytes of names, %.2f s under sanitizers\n",
		       count, states, bytes, seconds);
		assert_true(states < bytes);
		/* An optimised build takes about a fifth. */
		assert_true(seconds < 5);
		image_reset(&image);
	}
}

static const char text[] = "picket: 1\n"
			   "name: t\n"
			   "egress:\n"
			   "  default: deny\n"
			   "  rules:\n"
			   "    - allow: ['api.example.com:443', '*.cdn.example:80,443']\n"
			   "    - {allow: '**.quic.example', protocol: [tcp, udp]}\n"
			   "    - deny: ['bad.cdn.example', 'half.cdn.example:80']\n"
			   "    - deny: '10.0.0.0/8'\n"
			   "    - allow: '192.0.2.0/24:443'\n"
			   "    - {allow: 'git.example', by: /usr/bin/git}\n"
			   "    - ask: 'ask.example'\n"
			   "  dns: {resolvers: [192.0.2.53], max_name: 40}\n"
			   "files: {default: deny}\n";

/** A question and its answer. */
struct row {
	const char *address; /* or NULL */
	const char *host; /* or NULL */
	__u16 port;
	__u8 access;
	enum pk_verdict verdict;
	enum decide_by by;
	enum decide_check check;
};

#define TCP PK_ACCESS_TCP
#define UDP PK_ACCESS_UDP
#define YES PK_VERDICT_ALLOW
#define NO PK_VERDICT_DENY

static const struct row rows[] = {
	{ NULL, "api.example.com", 443, TCP, YES, DECIDE_BY_NAME, DECIDE_CHECK_NAME },
	{ NULL, "api.example.com", 443, UDP, NO, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ NULL, "api.example.com", 444, TCP, NO, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ NULL, "x.api.example.com", 443, TCP, NO, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ NULL, "a.b.cdn.example", 80, TCP, YES, DECIDE_BY_NAME, DECIDE_CHECK_NAME },
	{ NULL, "cdn.example", 80, TCP, NO, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ NULL, "xcdn.example", 80, TCP, NO, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ NULL, "bad.cdn.example", 443, TCP, NO, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ NULL, "half.cdn.example", 443, TCP, YES, DECIDE_BY_NAME, DECIDE_CHECK_NAME },
	{ NULL, "half.cdn.example", 80, TCP, NO, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ NULL, "quic.example", 443, UDP, YES, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ NULL, "git.example", 22, TCP, NO, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ NULL, "ask.example", 22, TCP, PK_VERDICT_ASK, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ "198.51.100.1", NULL, 443, TCP, NO, DECIDE_BY_ADDRESS, DECIDE_CHECK_NONE },
	{ "198.51.100.1", "api.example.com", 443, TCP, YES, DECIDE_BY_NAME, DECIDE_CHECK_NAME },
	{ "198.51.100.1", "api.example.com", 80, TCP, NO, DECIDE_BY_NAME, DECIDE_CHECK_NONE },
	{ "2001:db8::1", "api.example.com", 443, TCP, YES, DECIDE_BY_NAME, DECIDE_CHECK_NAME },
	{ "10.0.0.1", "api.example.com", 443, TCP, NO, DECIDE_BY_ADDRESS, DECIDE_CHECK_NONE },
	{ "64:ff9b::10.0.0.1", "api.example.com", 443, TCP, NO, DECIDE_BY_ADDRESS,
	  DECIDE_CHECK_NONE },
	/* The address allows it: the name is not asked, but what the connection says is. */
	{ "192.0.2.7", "bad.cdn.example", 443, TCP, YES, DECIDE_BY_ADDRESS, DECIDE_CHECK_DENIED },
	{ "192.0.2.53", NULL, 53, UDP, YES, DECIDE_BY_RESOLVER, DECIDE_CHECK_NONE },
	{ "192.0.2.53", NULL, 53, TCP, NO, DECIDE_BY_ADDRESS, DECIDE_CHECK_NONE },
	{ "192.0.2.54", NULL, 53, UDP, NO, DECIDE_BY_ADDRESS, DECIDE_CHECK_NONE },
};

static void decides_by_address_and_name(void **state)
{
	struct policy_image image = policy_text_compile("t.yaml", text);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		struct pk_query query = { PK_SECTION_EGRESS, row->access, row->port, 0, 0 };
		struct decide_target to = { .host = row->host };
		struct decided decided;
		__u8 address[16];

		if (row->address) {
			build_address(row->address, address);
			to.address = address;
		}
		assert_int_equal(decide_destination(&image, &to, &query, &decided), 0);
		if (decided.result.verdict != row->verdict || decided.by != row->by ||
		    decided.check != row->check)
			fail_msg("row %zu: verdict %u, by %u, check %u", i, decided.result.verdict,
				 decided.by, decided.check);
	}
	image_reset(&image);
}

static void decides_about_questions(void **state)
{
	static const struct {
		const char *host;
		enum pk_verdict verdict;
		enum pk_reason reason;
	} questions[] = {
		{ "api.example.com", YES, PK_REASON_RULE },
		{ "example.com", NO, PK_REASON_DEFAULT },
		{ "bad.cdn.example", NO, PK_REASON_RULE },
		{ "half.cdn.example", YES, PK_REASON_RULE },
		/* Who asks a resolver is often not who connects. */
		{ "git.example", YES, PK_REASON_RULE },
		{ "ask.example", PK_VERDICT_ASK, PK_REASON_RULE },
		{ "a23456789.b23456789.c23456789.cdn.example", NO, PK_REASON_DNS_LONG },
	};
	struct policy_image image = policy_text_compile("t.yaml", text);

	(void)state;
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		struct pk_result result;

		assert_int_equal(decide_name(&image, questions[i].host, &result), 0);
		if (result.verdict != questions[i].verdict || result.reason != questions[i].reason)
			fail_msg("%s: verdict %u, reason %u", questions[i].host, result.verdict,
				 result.reason);
	}
	image_reset(&image);
}

static void denied_names_are_flagged(void **state)
{
	static const struct {
		enum pk_verdict verdict;
		bool flagged;
	} cases[] = { { PK_VERDICT_ALLOW, false },
		      { PK_VERDICT_ASK, true },
		      { PK_VERDICT_DENY, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *policy = build_policy("p");
		struct policy_image image;

		build_section(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW);
		build_rule(policy, PK_SECTION_EGRESS, cases[i].verdict, PK_ACCESS_EGRESS);
		build_host(policy, "a.b");
		image = build_image(&policy, 1);
		assert_int_equal(!!(image_head(&image)->flags & PK_IMAGE_DENIED_NAMES),
				 cases[i].flagged);
		image_reset(&image);
		policy_free(&policy);
	}
}

/* A later rule on all ports counts behind an earlier one on some. */
static void ports_do_not_hide_rules(void **state)
{
	struct policy_image image = policy_text_compile(
		"t.yaml", "picket: 1\nname: t\negress:\n  default: allow\n  rules:\n"
			  "    - deny: ['*:1-1000', 'a.b']\n"
			  "  dns: {resolvers: [192.0.2.53]}\n");
	struct pk_query query = { PK_SECTION_EGRESS, PK_ACCESS_TCP, 8080, 0, 0 };
	struct pk_result result;

	(void)state;
	assert_int_equal(decide_host(&image, "a.b", &query, &result), 0);
	assert_int_equal(result.verdict, PK_VERDICT_DENY);
	assert_int_equal(result.rule, 1);
	assert_int_equal(decide_host(&image, "b.a", &query, &result), 0);
	assert_int_equal(result.verdict, PK_VERDICT_ALLOW);
	image_reset(&image);
}

/* The same name in other letters is the same rule. */
static void repetitions_are_found(void **state)
{
	static const char twice[] = "picket: 1\nname: t\negress:\n  rules:\n"
				    "    - allow: ['example.com:443', 'Example.COM.:443']\n"
				    "    - {allow: 'example.com:443', protocol: [tcp, udp]}\n";
	struct policy *policy = policy_text_load("t.yaml", twice);
	const struct policy *layer = policy;
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };

	(void)state;
	assert_int_equal(policy_compile(&layer, 1, NULL, &image, &diags), -22);
	/* The last one is for UDP too. */
	assert_int_equal(diags.count, 1);
	assert_non_null(strstr(diags.items[0].message, "it repeats 'example.com:443'"));
	assert_int_equal(diags.items[0].column, 34);
	diag_list_reset(&diags);
	policy_free(&policy);
}

/* What is the machine's own is @loopback, but where it would let the network in. */
static void own_addresses_are_loopback(void **state)
{
	static const char text_own[] = "picket: 1\nname: t\negress:\n  rules:\n"
				       "    - allow: '@loopback:80'\n"
				       "listen:\n  rules:\n"
				       "    - {allow: '@loopback:8000', from: '@loopback'}\n"
				       "    - deny: '@loopback:8001'\n";
	struct policy_range own = { .low = { 0x20, 1, [15] = 9 }, .high = { 0x20, 1, [15] = 9 } };
	const struct policy_host machine = { .own = &own, .own_count = 1 };
	const struct policy_context context = { .host = &machine };
	const struct {
		enum pk_section section;
		__u16 port;
		bool ruled;
	} rows_own[] = {
		{ PK_SECTION_EGRESS, 80, true },
		{ PK_SECTION_LISTEN, 8000, false },
		{ PK_SECTION_LISTEN, 8001, true },
		{ PK_SECTION_ACCEPT, 8000, true },
	};
	struct diag_list diags = { 0 };
	struct policy *policy = NULL;
	struct policy_image image;

	(void)state;
	assert_int_equal(policy_load_text("t", text_own, sizeof(text_own) - 1, &context, &policy,
					  &diags),
			 0);
	image = build_image(&policy, 1);
	for (size_t i = 0; i < sizeof(rows_own) / sizeof(*rows_own); i++) {
		struct pk_query query = { rows_own[i].section, PK_ACCESS_TCP, rows_own[i].port, 0,
					  0 };
		struct pk_result result;

		assert_int_equal(decide_address_query(&image, own.low, &query, &result), 0);
		if ((result.reason == PK_REASON_RULE) != rows_own[i].ruled)
			fail_msg("row %zu: reason %u", i, result.reason);
	}
	image_reset(&image);
	diag_list_reset(&diags);
	policy_free(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_like_the_reference),
		cmocka_unit_test(states_grow_with_the_text),
		cmocka_unit_test(decides_by_address_and_name),
		cmocka_unit_test(decides_about_questions),
		cmocka_unit_test(denied_names_are_flagged),
		cmocka_unit_test(ports_do_not_hide_rules),
		cmocka_unit_test(repetitions_are_found),
		cmocka_unit_test(own_addresses_are_loopback),
	};

	return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
