/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that rules are for, abstract sockets, and switches over several layers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "builder.h"
#include "policy/compile.h"
#include "policy/decide.h"

static __u32 bits_of(const struct policy_image *image, const char *program)
{
	__u32 subjects;

	assert_int_equal(decide_subjects(image, program, &subjects), 0);
	return subjects;
}

static enum pk_verdict read_by(const struct policy_image *image, const char *path, __u32 subjects)
{
	const struct pk_query query = { PK_SECTION_FILES, PK_ACCESS_READ, 0, subjects, 0 };
	struct pk_result result;

	assert_int_equal(decide_path_query(image, path, &query, &result), 0);
	return result.verdict;
}

static void one_bit_a_list(void **state)
{
	struct policy *layers[2] = { build_policy("a"), build_policy("b") };
	struct policy_image image;

	(void)state;
	for (int i = 0; i < 2; i++) {
		build_section(layers[i], PK_SECTION_FILES, PK_VERDICT_DENY);
		build_rule(layers[i], PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
		build_glob(layers[i], "/k/**");
		/* The same set in another order, with a repetition. */
		build_by(layers[i], i ? "**/gh" : "/usr/bin/git");
		build_by(layers[i], i ? "/usr/bin/git" : "**/gh");
		build_by(layers[i], "**/gh");
	}
	build_rule(layers[1], PK_SECTION_FILES, PK_VERDICT_DENY, PK_ACCESS_READ);
	build_glob(layers[1], "/k/deep/**");
	build_by(layers[1], "/usr/bin/git");
	image = build_image(layers, 2);
	assert_int_equal(image_head(&image)->subjects, 3);
	assert_int_equal(bits_of(&image, "/usr/bin/git"), 3);
	assert_int_equal(bits_of(&image, "/opt/gh"), 1);
	assert_int_equal(bits_of(&image, "/opt/git"), 0);
	assert_int_equal(read_by(&image, "/k/x", 0), PK_VERDICT_DENY);
	assert_int_equal(read_by(&image, "/k/x", 1), PK_VERDICT_ALLOW);
	assert_int_equal(read_by(&image, "/k/x", 2), PK_VERDICT_DENY);
	assert_int_equal(read_by(&image, "/k/deep/x", 1), PK_VERDICT_ALLOW);
	assert_int_equal(read_by(&image, "/k/deep/x", 3), PK_VERDICT_DENY);
	image_reset(&image);
	policy_free(&layers[0]);
	policy_free(&layers[1]);
}

/* An earlier rule for one program makes no later rule for another useless. */
static void keeps_programs_apart(void **state)
{
	struct policy *policy = build_policy("p");
	struct policy_image image;

	(void)state;
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_DENY);
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_FILES);
	build_glob(policy, "/k/**");
	build_by(policy, "/a");
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, "/k/**");
	build_by(policy, "/b");
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, "/k/open/**");
	image = build_image(&policy, 1);
	assert_int_equal(read_by(&image, "/k/x", bits_of(&image, "/a")), PK_VERDICT_ALLOW);
	assert_int_equal(read_by(&image, "/k/x", bits_of(&image, "/b")), PK_VERDICT_ALLOW);
	assert_int_equal(read_by(&image, "/k/x", 0), PK_VERDICT_DENY);
	assert_int_equal(read_by(&image, "/k/open/x", 0), PK_VERDICT_ALLOW);
	image_reset(&image);
	policy_free(&policy);
}

/* 31 lists have bits; the rule that brings the 32nd is named. */
static void refuses_too_many(void **state)
{
	struct policy *policy = build_policy("p");
	const struct policy *layers[] = { policy };
	struct policy_image image = { 0 };
	struct diag_list diags = { 0 };
	char program[16];

	(void)state;
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_DENY);
	for (unsigned int i = 0; i < PK_SUBJECTS_MAX + 1; i++) {
		if (i == PK_SUBJECTS_MAX) {
			assert_int_equal(policy_compile(layers, 1, NULL, &image, &diags), 0);
			assert_int_equal(image_head(&image)->subjects, 0x7fffffff);
			assert_int_equal(bits_of(&image, "/p30"), 1U << 30);
			image_reset(&image);
		}
		build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
		build_glob(policy, "/k/**");
		(void)snprintf(program, sizeof(program), "/p%u", i);
		build_by(policy, program);
	}
	assert_int_equal(policy_compile(layers, 1, NULL, &image, &diags), -22);
	assert_int_equal(diags.count, 1);
	assert_int_equal(diags.items[0].line, PK_SUBJECTS_MAX + 1);
	diag_list_reset(&diags);
	policy_free(&policy);
}

static void judges_abstract_sockets(void **state)
{
	struct policy *policy = build_policy("p");
	struct policy_image image;
	struct pk_result result;

	(void)state;
	build_section(policy, PK_SECTION_UNIX, PK_VERDICT_DENY);
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW);
	build_rule(policy, PK_SECTION_UNIX, PK_VERDICT_ALLOW, PK_ACCESS_ABSTRACT);
	build_glob(policy, "/x*");
	image = build_image(&policy, 1);
	assert_int_equal(decide_abstract(&image, "xa", 0, &result), 0);
	assert_int_equal(result.verdict, PK_VERDICT_ALLOW);
	assert_int_equal(result.rule, 0);
	assert_int_equal(decide_abstract(&image, "x/a", 0, &result), 0);
	assert_int_equal(result.verdict, PK_VERDICT_DENY);
	/* A file of that name is another matter. */
	assert_int_equal(decide_path(&image, PK_SECTION_FILES, PK_ACCESS_READ, "/xa", &result), 0);
	assert_int_equal(result.rule, PK_RULE_DEFAULT | PK_SECTION_FILES);
	image_reset(&image);
	policy_free(&policy);
}

static void joins_switches(void **state)
{
	struct policy *layers[2] = { build_policy("a"), build_policy("b") };
	struct policy_image image;
	struct pk_result result;

	(void)state;
	build_guard(layers[0], PK_GUARD_PERF, false, "perf: allow");
	build_guard(layers[0], PK_GUARD_CAPABILITIES, false, "capabilities: allow");
	layers[0]->process.capabilities = 1;
	layers[1]->process.guards[PK_GUARD_PERF].verdict = PK_VERDICT_DENY;
	layers[1]->process.guards[PK_GUARD_CAPABILITIES].verdict = PK_VERDICT_DENY;
	layers[1]->process.capabilities = 6;
	image = build_image(layers, 2);
	assert_int_equal(image_head(&image)->guards.deny,
			 1U << PK_GUARD_PERF | 1U << PK_GUARD_CAPABILITIES);
	assert_int_equal(image_head(&image)->guards.capabilities, 6);
	assert_int_equal(image_head(&image)->defaults[PK_SECTION_PROCESS].present, 0xf);
	result = decide_guard(&image, PK_GUARD_PERF);
	assert_int_equal(result.verdict, PK_VERDICT_DENY);
	assert_int_equal(result.rule, PK_RULE_DEFAULT | 1U << 8 | PK_SECTION_PROCESS);
	result = decide_guard(&image, PK_GUARD_MOUNTS);
	assert_int_equal(result.verdict, PK_VERDICT_ALLOW);
	assert_int_equal(result.rule, PK_RULE_DEFAULT | PK_SECTION_PROCESS);
	image_reset(&image);
	build_guard(layers[0], PK_GUARD_PERF, true, "perf: deny");
	image = build_image(layers, 2);
	result = decide_guard(&image, PK_GUARD_PERF);
	assert_string_equal(image_string(&image, image_rule(&image, result.rule)->text),
			    "perf: deny");
	image_reset(&image);
	policy_free(&layers[0]);
	policy_free(&layers[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_bit_a_list),   cmocka_unit_test(keeps_programs_apart),
		cmocka_unit_test(refuses_too_many), cmocka_unit_test(judges_abstract_sockets),
		cmocka_unit_test(joins_switches),
	};

	return cmocka_run_group_tests_name("subjects", tests, NULL, NULL);
}
