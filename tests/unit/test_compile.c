/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compilation as a whole: the same bytes for the same policy, what layers make of header fields,
 * which policies are refused and with what words, and that the speed is of the promised order.
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
#include "policy/compile.h"
#include "policy/dump.h"

static struct policy_image compile(struct policy *policy)
{
	return build_image(&policy, 1);
}

static void same_policy_same_bytes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct dice first = { .state = seed };
		struct dice second = { .state = seed };
		struct policy *one = dice_policy(&first);
		/* Other allocations between: addresses must not matter. */
		void *shift = malloc(seed * 100);
		struct policy *two = dice_policy(&second);
		struct policy_image a = compile(one);
		struct policy_image b = compile(two);
		struct policy_image c = compile(one);

		assert_int_equal(a.size, b.size);
		assert_memory_equal(a.bytes, b.bytes, a.size);
		assert_memory_equal(a.bytes, c.bytes, a.size);
		image_reset(&a);
		image_reset(&b);
		image_reset(&c);
		policy_free(&one);
		policy_free(&two);
		free(shift);
	}
}

static void another_policy_another_name(void **state)
{
	struct policy *policy = build_policy("name");
	struct policy_image a = compile(policy);
	struct policy_image b;

	(void)state;
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW);
	b = compile(policy);
	assert_memory_not_equal(image_head(&a)->digest, image_head(&b)->digest, 32);
	image_reset(&a);
	image_reset(&b);
	policy_free(&policy);
}

static void header_combines_layers(void **state)
{
	struct policy *layers[] = { build_policy("upper"), build_policy("lower") };
	struct policy_image image;

	(void)state;
	build_section(layers[0], PK_SECTION_FILES, PK_VERDICT_ASK);
	build_section(layers[1], PK_SECTION_FILES, PK_VERDICT_DENY);
	build_section(layers[1], PK_SECTION_EXEC, PK_VERDICT_ALLOW);
	layers[0]->activity = PK_ACTIVITY_EXEC;
	layers[0]->rate = 2000;
	layers[1]->activity = PK_ACTIVITY_WRITE;
	layers[1]->rate = 10;
	layers[1]->audit = true;
	image = build_image(layers, 2);
	assert_int_equal(image_head(&image)->layers, 2);
	assert_int_equal(image_head(&image)->defaults[PK_SECTION_FILES].present, 0xff);
	assert_int_equal(image_head(&image)->defaults[PK_SECTION_FILES].ask, 0x0f);
	assert_int_equal(image_head(&image)->defaults[PK_SECTION_FILES].deny, 0xf0);
	assert_int_equal(image_head(&image)->defaults[PK_SECTION_EXEC].present, 0xf0);
	assert_int_equal(image_head(&image)->defaults[PK_SECTION_EXEC].deny, 0);
	assert_int_equal(image_head(&image)->activity, PK_ACTIVITY_EXEC | PK_ACTIVITY_WRITE);
	assert_int_equal(image_head(&image)->rate, 2000);
	/* A lower layer cannot switch an upper one to audit. */
	assert_int_equal(image_head(&image)->flags, PK_IMAGE_HOLD);
	assert_string_equal(image_string(&image, image_head(&image)->name), "lower");
	image_reset(&image);
	layers[0]->audit = true;
	layers[0]->rate = 0;
	image = build_image(layers, 2);
	assert_int_equal(image_head(&image)->flags, PK_IMAGE_AUDIT | PK_IMAGE_HOLD);
	assert_int_equal(image_head(&image)->rate, 0);
	image_reset(&image);
	policy_free(&layers[0]);
	policy_free(&layers[1]);
}

static void option_forces_audit(void **state)
{
	struct policy *policy = build_policy("audit");
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };

	(void)state;
	assert_int_equal(policy_compile((const struct policy *const *)&policy, 1,
					&(struct compile_options){ .audit = true }, &image, &diags),
			 0);
	assert_int_equal(image_head(&image)->flags, PK_IMAGE_AUDIT);
	image_reset(&image);
	policy_free(&policy);
}

/* The findings of a policy that must be refused; the caller resets them. */
static struct diag_list refuse(struct policy *policy)
{
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };

	assert_int_equal(policy_compile((const struct policy *const *)&policy, 1, NULL, &image,
					&diags),
			 -22);
	assert_null(image.bytes);
	assert_true(diag_has_errors(&diags));
	return diags;
}

static void repetitions_are_errors(void **state)
{
	struct policy *policy = build_policy("twice");
	struct diag_list diags;

	(void)state;
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, "/a");
	build_glob(policy, "/b");
	/* Not the same: verdict, access, section. */
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_DENY, PK_ACCESS_READ);
	build_glob(policy, "/b");
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_WRITE);
	build_glob(policy, "/b");
	build_rule(policy, PK_SECTION_EXEC, PK_VERDICT_ALLOW, PK_ACCESS_RUN);
	build_glob(policy, "/b");
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, "/c");
	build_glob(policy, "/b");
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_TCP);
	build_range(policy, "10.0.0.0/8");
	build_ports(policy, 80, 80);
	build_range(policy, "10.0.0.0/8");
	build_ports(policy, 81, 81);
	build_range(policy, "10.0.0.0/8");
	build_ports(policy, 80, 80);
	diags = refuse(policy);
	assert_int_equal(diags.count, 2);
	assert_string_equal(diags.items[0].message,
			    "'/b' can never decide anything: it repeats '/b' at line 1, column 2");
	assert_int_equal(diags.items[0].line, 5);
	assert_int_equal(diags.items[0].column, 2);
	assert_non_null(strstr(diags.items[1].message, "'10.0.0.0/8' at line 6, column 1"));
	assert_int_equal(diags.items[1].column, 3);
	diag_list_reset(&diags);
	policy_free(&policy);
}

static void repetitions_across_files_are_fine(void **state)
{
	struct policy *policy = build_policy("includes");
	struct policy_image image;

	(void)state;
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, "/a");
	build_glob(policy, "/a")->pos.file = "other.yaml";
	image = compile(policy);
	assert_int_equal(image_head(&image)->part[PK_PART_ITEMS].size, sizeof(struct pk_item));
	assert_int_equal(image_head(&image)->part[PK_PART_RULES].size, 2 * sizeof(struct pk_rule));
	image_reset(&image);
	policy_free(&policy);
}

static void bad_globs_are_all_reported(void **state)
{
	struct policy *policy = build_policy("bad");
	struct diag_list diags;

	(void)state;
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, "/a**b");
	build_glob(policy, "/good");
	build_glob(policy, "relative");
	diags = refuse(policy);
	assert_int_equal(diags.count, 2);
	assert_non_null(strstr(diags.items[0].message, "'/a**b' at byte 3"));
	assert_int_equal(diags.items[0].column, 1);
	assert_int_equal(diags.items[1].column, 3);
	diag_list_reset(&diags);
	policy_free(&policy);
}

static void too_many_rules_for_a_path_are_named(void **state)
{
	struct policy *policy = build_policy("layers");
	struct diag_list diags;
	char glob[300];

	(void)state;
	/* Each of 15 access masks and 3 verdicts, 8 layers would be 360: two policies' worth here. */
	for (int i = 0; i < 15 * 3; i++) {
		build_rule(policy, PK_SECTION_FILES, i % 3, (uint8_t)(1 + i / 3));
		build_glob(policy, "/x");
	}
	for (int i = 0; i < 100; i++) {
		build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_TCP);
		build_range(policy, "::1");
		for (uint16_t p = 0; p < 2; p++)
			build_ports(policy, (uint16_t)(4 * i + 2 * p), (uint16_t)(4 * i + 2 * p));
	}
	diags = refuse(policy);
	snprintf(glob, sizeof(glob), "%s", diags.items[0].message);
	assert_non_null(strstr(glob, "200 rules and port ranges decide about one and the same"));
	assert_int_equal(diags.items[1].line, 46);
	diag_list_reset(&diags);
	policy_free(&policy);
}

static void layer_count_is_checked(void **state)
{
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };

	(void)state;
	assert_int_equal(policy_compile(NULL, 0, NULL, &image, &diags), -22);
	assert_int_equal(diags.count, 1);
	diag_list_reset(&diags);
}

/* 1,000 paths and 1,000 ranges: the promise is 200 ms optimised; here under the sanitizers. */
static void large_policies_compile_quickly(void **state)
{
	struct policy *policy = build_policy("large");
	struct policy_image image;
	struct dump_figures figures;
	struct timespec from;
	struct timespec to;
	char text[128];

	(void)state;
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_DENY);
	build_section(policy, PK_SECTION_EGRESS, PK_VERDICT_DENY);
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_DENY, PK_ACCESS_FILES);
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "**/secret-%d/*.key", i);
		build_glob(policy, text);
	}
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	for (int i = 0; i < 980; i++) {
		snprintf(text, sizeof(text), "/srv/%d/project-%d/*.c", i % 31, i);
		build_glob(policy, text);
	}
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_ALLOW, PK_ACCESS_TCP);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "10.%d.%d.0/24", i / 250, i % 250);
		build_range(policy, text);
		build_ports(policy, (uint16_t)(1 + i % 7), 443);
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	image = compile(policy);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < 3);
	assert_int_equal(dump_count(&image, &figures), 0);
	printf("# %u states, %u spans, %zu bytes in %ld ms\n", figures.states, figures.spans,
	       image.size,
	       (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
	assert_int_equal(figures.rules, 2000);
	image_reset(&image);
	policy_free(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_policy_same_bytes),
		cmocka_unit_test(another_policy_another_name),
		cmocka_unit_test(header_combines_layers),
		cmocka_unit_test(option_forces_audit),
		cmocka_unit_test(repetitions_are_errors),
		cmocka_unit_test(repetitions_across_files_are_fine),
		cmocka_unit_test(bad_globs_are_all_reported),
		cmocka_unit_test(too_many_rules_for_a_path_are_named),
		cmocka_unit_test(layer_count_is_checked),
		cmocka_unit_test(large_policies_compile_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
