/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address table: sorted, complete, merged, right at both ends of the space, and quick when
 * ranges nest.
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
#include "policy/compile.h"
#include "policy/decide.h"

static const struct pk_span *spans_of(const struct policy_image *image)
{
	const struct pk_image *head = image_head(image);

	return (const struct pk_span *)(image->bytes + head->part[PK_PART_SPANS].offset);
}

static struct policy *egress(void)
{
	struct policy *policy = build_policy("egress");

	build_section(policy, PK_SECTION_EGRESS, PK_VERDICT_DENY);
	return policy;
}

/* The rule that decides about TCP port 80 at an address; -1 the default. */
static int decider(const struct policy_image *image, const char *text)
{
	uint8_t address[16];
	struct pk_result result;

	build_address(text, address);
	assert_int_equal(decide_address(image, address, 80, PK_ACCESS_TCP, &result), 0);
	return result.rule & PK_RULE_DEFAULT ? -1 : (int)result.rule;
}

static void empty_section_is_one_span(void **state)
{
	struct policy *policy = egress();
	struct policy_image image = build_image(&policy, 1);

	(void)state;
	assert_int_equal(image_head(&image)->span_count, 1);
	assert_int_equal(spans_of(&image)[0].set, 0);
	assert_int_equal(decider(&image, "1.2.3.4"), -1);
	image_reset(&image);
	policy_free(&policy);
}

static void cuts_at_the_edges(void **state)
{
	struct policy *policy = egress();
	struct policy_image image;

	(void)state;
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_EGRESS);
	build_range(policy, "10.0.0.0/8");
	build_range(policy, "::/128");
	build_range(policy, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124");
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_DENY, PK_ACCESS_EGRESS);
	build_range(policy, "10.1.0.0/16");
	image = build_image(&policy, 1);
	/* ::, gap, 10.0, 10.1, 10.2-, gap, the end; 10.1 and a gap in three more places. */
	assert_int_equal(image_head(&image)->span_count, 7 + 3 * 2);
	assert_int_equal(decider(&image, "9.255.255.255"), -1);
	assert_int_equal(decider(&image, "10.0.0.0"), 0);
	assert_int_equal(decider(&image, "10.0.255.255"), 0);
	assert_int_equal(decider(&image, "10.1.0.0"), 3);
	assert_int_equal(decider(&image, "10.1.255.255"), 3);
	assert_int_equal(decider(&image, "10.2.0.0"), 0);
	assert_int_equal(decider(&image, "10.255.255.255"), 0);
	assert_int_equal(decider(&image, "11.0.0.0"), -1);
	assert_int_equal(decider(&image, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 2);
	/* As a destination :: is ::1, which no rule names. */
	assert_int_equal(decider(&image, "::"), -1);
	image_reset(&image);
	policy_free(&policy);
}

/* What is not allowed of IPv4 is not allowed by the names that IPv6 has for it. */
static void mirrors_denials(void **state)
{
	struct policy *policy = build_policy("mirrors");
	struct policy_image image;

	(void)state;
	build_section(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW);
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_DENY, PK_ACCESS_EGRESS);
	build_range(policy, "10.0.0.0/8");
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ASK, PK_ACCESS_EGRESS);
	build_range(policy, "192.168.1.128/25");
	build_range(policy, "0.0.0.0/8");
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_EGRESS);
	build_range(policy, "172.16.0.0/12");
	build_rule(policy, PK_SECTION_LISTEN, PK_VERDICT_DENY, PK_ACCESS_EGRESS);
	build_range(policy, "127.0.0.0/8");
	image = build_image(&policy, 1);
	assert_int_equal(decider(&image, "64:ff9b::9.255.255.255"), -1);
	assert_int_equal(decider(&image, "64:ff9b::10.0.0.0"), 0);
	assert_int_equal(decider(&image, "64:ff9b::10.255.255.255"), 0);
	assert_int_equal(decider(&image, "64:ff9b::11.0.0.0"), -1);
	assert_int_equal(decider(&image, "64:ff9b:0:0:1::10.0.0.1"), -1);
	assert_int_equal(decider(&image, "2002:9ff:ffff:ffff:ffff:ffff:ffff:ffff"), -1);
	assert_int_equal(decider(&image, "2002:a00::"), 0);
	assert_int_equal(decider(&image, "2002:aff:ffff:ffff:ffff:ffff:ffff:ffff"), 0);
	assert_int_equal(decider(&image, "2002:b00::"), -1);
	assert_int_equal(decider(&image, "::10.0.0.1"), 0);
	assert_int_equal(decider(&image, "64:ff9b::192.168.1.127"), -1);
	assert_int_equal(decider(&image, "64:ff9b::192.168.1.128"), 1);
	assert_int_equal(decider(&image, "2002:c0a8:1ff:7::1"), 1);
	/* The loopback address of IPv6 is not 0.0.0.1. */
	assert_int_equal(decider(&image, "::1"), -1);
	assert_int_equal(decider(&image, "::2"), 2);
	assert_int_equal(decider(&image, "64:ff9b::172.16.0.1"), -1);
	assert_int_equal(decider(&image, "172.16.0.1"), 3);
	assert_int_equal(decider(&image, "64:ff9b::127.0.0.1"), -1);
	image_reset(&image);
	policy_free(&policy);
}

static void merges_what_is_alike(void **state)
{
	struct policy *policy = egress();
	struct policy_image image;

	(void)state;
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_EGRESS);
	build_range(policy, "10.0.0.0/8");
	/* Never named, never needed: inside, behind and of the same kind as the first. */
	build_range(policy, "10.3.0.0/16");
	build_range(policy, "10.200.0.0/16");
	image = build_image(&policy, 1);
	assert_int_equal(image_head(&image)->span_count, 3);
	assert_int_equal(image_head(&image)->part[PK_PART_ITEMS].size, sizeof(struct pk_item));
	image_reset(&image);
	policy_free(&policy);
}

static void whole_space_is_one_span(void **state)
{
	struct policy *policy = egress();
	struct policy_image image;

	(void)state;
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_EGRESS);
	build_range(policy, "::/0");
	image = build_image(&policy, 1);
	assert_int_equal(image_head(&image)->span_count, 1);
	assert_int_equal(decider(&image, "255.255.255.255"), 0);
	image_reset(&image);
	policy_free(&policy);
}

/* 10,000 ranges each inside the one before, of three kinds: only the kinds' first ones matter. */
static void nested_ranges_are_not_quadratic(void **state)
{
	struct policy *policy = egress();
	struct policy_range range = { .low = { 0x20 }, .high = { 0x20 } };
	struct policy_image image;
	struct timespec from;
	struct timespec to;

	(void)state;
	memset(range.high + 1, 0xff, 15);
	for (unsigned int i = 0; i < 10000; i++) {
		range.low[1] = range.high[1] = 0;
		range.low[2] = (uint8_t)(i >> 8);
		range.low[3] = (uint8_t)i;
		range.high[2] = (uint8_t)((0xffff - i) >> 8);
		range.high[3] = (uint8_t)(0xffff - i);
		build_rule(policy, PK_SECTION_EGRESS, i % PK_VERDICT__MAX, PK_ACCESS_EGRESS);
		build_raw_range(policy, &range);
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	image = build_image(&policy, 1);
	clock_gettime(CLOCK_MONOTONIC, &to);
	/* Quadratic would be 200 million steps, minutes under the sanitizers. */
	assert_true(to.tv_sec - from.tv_sec < 5);
	assert_int_equal(decider(&image, "2000:0000:ffff::"), 0);
	image_reset(&image);
	policy_free(&policy);
}

static void names_rules_over_the_set_limit(void **state)
{
	struct policy *policy = egress();
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };

	(void)state;
	for (uint16_t i = 0; i <= PK_SET_MAX; i++) {
		build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_EGRESS);
		build_range(policy, "10.0.0.0/8");
		build_ports(policy, (uint16_t)(1000 + 2 * i), (uint16_t)(1000 + 2 * i));
	}
	assert_int_equal(policy_compile((const struct policy *const *)&policy, 1, NULL, &image,
					&diags),
			 -22);
	assert_non_null(strstr(diags.items[0].message, "129 rules"));
	assert_non_null(strstr(diags.items[0].message, "address"));
	assert_int_equal(diags.items[0].line, 1);
	diag_list_reset(&diags);
	/* A deny that covers them all makes them fit: they can never matter. */
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_DENY, PK_ACCESS_EGRESS);
	build_range(policy, "10.0.0.0/8");
	image = build_image(&policy, 1);
	assert_int_equal(decider(&image, "10.0.0.1"), PK_SET_MAX + 1);
	image_reset(&image);
	policy_free(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_section_is_one_span),
		cmocka_unit_test(cuts_at_the_edges),
		cmocka_unit_test(mirrors_denials),
		cmocka_unit_test(merges_what_is_alike),
		cmocka_unit_test(whole_space_is_one_span),
		cmocka_unit_test(nested_ranges_are_not_quadratic),
		cmocka_unit_test(names_rules_over_the_set_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
