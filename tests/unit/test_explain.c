/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Explanations agree with decisions and name who lost; the disassembly shows what is there and
 * lets no text of a policy break a line.
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
#include "dice.h"
#include "policy/decide.h"
#include "policy/dump.h"
#include "policy/explain.h"

static void names_the_losers(void **state)
{
	struct policy *policy = build_policy("explain");
	struct policy_image image;
	struct explanation e;

	(void)state;
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_ASK);
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, "/w/**");
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_DENY, PK_ACCESS_READ);
	build_glob(policy, "**/.env");
	image = build_image(&policy, 1);
	assert_int_equal(explain_path(&image, PK_SECTION_FILES, PK_ACCESS_READ | PK_ACCESS_WRITE,
				      "/w/.env", &e),
			 0);
	assert_int_equal(e.result.verdict, PK_VERDICT_DENY);
	assert_int_equal(e.count, 3);
	assert_int_equal(e.voices[0].rule, 1);
	assert_int_equal(e.voices[0].verdict, PK_VERDICT_DENY);
	assert_int_equal(e.voices[0].access, PK_ACCESS_READ);
	/* Nobody spoke about writing: the default. */
	assert_int_equal(e.voices[1].rule, PK_RULE_DEFAULT | PK_SECTION_FILES);
	assert_int_equal(e.voices[1].verdict, PK_VERDICT_ASK);
	assert_int_equal(e.voices[1].access, PK_ACCESS_WRITE);
	assert_int_equal(e.voices[2].rule, 0);
	assert_int_equal(e.voices[2].verdict, PK_VERDICT_ALLOW);
	explanation_reset(&e);
	assert_int_equal(explain_path(&image, PK_SECTION_EXEC, PK_ACCESS_RUN, "/w/.env", &e), 0);
	assert_int_equal(e.result.reason, PK_REASON_UNJUDGED);
	assert_int_equal(e.count, 0);
	explanation_reset(&e);
	image_reset(&image);
	policy_free(&policy);
}

static void exec_hears_both_sections(void **state)
{
	struct policy *policy = build_policy("explain");
	struct policy_image image;
	struct pk_result result;
	struct explanation e;

	(void)state;
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_DENY);
	build_section(policy, PK_SECTION_EXEC, PK_VERDICT_ALLOW);
	build_rule(policy, PK_SECTION_EXEC, PK_VERDICT_ASK, PK_ACCESS_RUN);
	build_glob(policy, "/bin/su");
	image = build_image(&policy, 1);
	assert_int_equal(explain_exec(&image, "/bin/su", &e), 0);
	assert_int_equal(decide_exec(&image, "/bin/su", &result), 0);
	assert_memory_equal(&e.result, &result, sizeof(result));
	assert_int_equal(e.count, 2);
	assert_int_equal(e.voices[0].section, PK_SECTION_FILES);
	assert_int_equal(e.voices[0].verdict, PK_VERDICT_DENY);
	assert_int_equal(e.voices[1].section, PK_SECTION_EXEC);
	assert_int_equal(e.voices[1].rule, 0);
	explanation_reset(&e);
	image_reset(&image);
	policy_free(&policy);
}

static void check_voices(const struct explanation *e, const struct pk_result *result)
{
	assert_memory_equal(&e->result, result, sizeof(*result));
	assert_int_equal(e->count == 0, result->reason == PK_REASON_UNJUDGED);
	if (!e->count)
		return;
	assert_int_equal(e->voices[0].rule, result->rule);
	assert_int_equal(e->voices[0].verdict, result->verdict);
	for (size_t i = 1; i < e->count; i++) {
		assert_true(e->voices[i].verdict <= e->voices[i - 1].verdict);
		assert_int_not_equal(e->voices[i].rule, e->voices[i - 1].rule);
	}
}

/* The first voice is the decision's, for random policies and keys. */
static void agrees_with_the_decision(void **state)
{
	struct dice dice = { .state = 3 };

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct policy *layers[] = { dice_policy(&dice), dice_policy(&dice) };
		struct policy_image image = build_image(layers, 2);

		for (int j = 0; j < 50; j++) {
			char path[DICE_PATH_MAX];
			uint8_t address[16];
			uint16_t port = dice_port(&dice);
			struct pk_result result;
			struct explanation e;

			dice_path(&dice, layers, 2, path);
			dice_address(&dice, layers, 2, address);
			assert_int_equal(explain_path(&image, PK_SECTION_FILES, 3, path, &e), 0);
			assert_int_equal(decide_path(&image, PK_SECTION_FILES, 3, path, &result),
					 0);
			check_voices(&e, &result);
			explanation_reset(&e);
			assert_int_equal(explain_exec(&image, path, &e), 0);
			assert_int_equal(decide_exec(&image, path, &result), 0);
			check_voices(&e, &result);
			explanation_reset(&e);
			assert_int_equal(explain_address(&image, address, port, 3, &e), 0);
			assert_int_equal(decide_address(&image, address, port, 3, &result), 0);
			check_voices(&e, &result);
			explanation_reset(&e);
		}
		image_reset(&image);
		policy_free(&layers[0]);
		policy_free(&layers[1]);
	}
}

static void disassembly_is_complete(void **state)
{
	struct policy *policy = build_policy("dump");
	struct policy_image image;
	struct dump_figures figures;
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	build_section(policy, PK_SECTION_FILES, PK_VERDICT_DENY);
	build_rule(policy, PK_SECTION_FILES, PK_VERDICT_ALLOW, PK_ACCESS_READ);
	build_glob(policy, "/a*")->source[1] = '\n';
	build_rule(policy, PK_SECTION_EGRESS, PK_VERDICT_DENY, PK_ACCESS_TCP);
	build_range(policy, "10.0.0.0/8");
	build_ports(policy, 80, 90);
	image = build_image(&policy, 1);
	assert_int_equal(dump_count(&image, &figures), 0);
	assert_int_equal(figures.states, 5);
	assert_int_equal(figures.transitions, 3);
	assert_int_equal(figures.classes, 3);
	/* The network, and the three IPv6 forms that a denial has too. */
	assert_int_equal(figures.spans, 9);
	assert_int_equal(figures.sets, 2);
	assert_int_equal(dump_image(&image, true, to), 0);
	assert_int_equal(fclose(to), 0);
	assert_non_null(strstr(text, "mode        enforce\n"));
	assert_non_null(strstr(text, "layer 0  files   deny\n"));
	assert_non_null(strstr(text, "layer 0  exec    not judged\n"));
	assert_non_null(strstr(text, "layer 0  listen  not judged\n"));
	assert_non_null(
		strstr(text, "sockets.allow       inet, inet6, unix, netlink, netlink-all, "));
	assert_non_null(strstr(text, "dns.resolvers       none: DNS is not looked at\n"));
	assert_non_null(strstr(text, "'/\\n*' at dump.yaml:1:1\n"));
	assert_non_null(strstr(text, "::ffff:10.0.0.0"));
	assert_non_null(strstr(text, "{1:80-90}\n"));
	assert_non_null(strstr(text, "(start, from the root) {} else "));
	assert_non_null(strstr(text, " by a\n"));
	free(text);
	image_reset(&image);
	policy_free(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_losers),
		cmocka_unit_test(exec_hears_both_sections),
		cmocka_unit_test(agrees_with_the_decision),
		cmocka_unit_test(disassembly_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
