/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inline tests: asked of the image in the way the kernel's hooks ask it.
 */
#include "cli/policy_tests.h"

#include <errno.h>

#include "policy/decide.h"
#include "telemetry/names.h"

/* What cannot be judged is a denial with its reason, like in the kernel. */
static struct pk_result judge(const struct policy_test *test, const struct policy_image *image)
{
	struct pk_result result;

	if (test->kind == POLICY_TEST_CONNECT)
		(void)decide_address(image, test->address.low, test->port, test->access, &result);
	else if (test->kind == POLICY_TEST_OPEN)
		(void)decide_path(image, PK_SECTION_FILES, test->access, test->target, &result);
	else
		(void)decide_exec(image, test->target, &result);
	return result;
}

/* Who decided, as the hint of a failed test. */
static void explain(struct diag *diag, const struct policy_image *image,
		    const struct pk_result *result)
{
	const struct pk_rule *rule = image_rule(image, result->rule);

	if (result->reason == PK_REASON_RULE && rule)
		diag_hint(diag, "the %s rule '%s' at %s:%u:%u decides",
			  names_verdict(rule->verdict), image_string(image, rule->text),
			  image_string(image, rule->file), rule->line, rule->column);
	else if (result->reason == PK_REASON_DEFAULT)
		diag_hint(diag, "no rule matches, and the default of '%s' decides",
			  names_section(result->rule & 0xff));
	else
		diag_hint(diag, "%s", names_reason_sentence(result->reason));
}

int policy_tests_run(const struct policy *policy, const struct policy_image *image,
		     size_t *ret_passed, struct diag_list *diags)
{
	static const char *const acts[] = {
		[POLICY_TEST_CONNECT] = "connect to",
		[POLICY_TEST_OPEN] = "open",
		[POLICY_TEST_EXEC] = "exec",
	};
	size_t passed = 0;

	for (size_t i = 0; i < policy->test_count; i++) {
		const struct policy_test *test = &policy->tests[i];
		struct pk_result result = judge(test, image);

		if (result.verdict == test->expect) {
			passed++;
			continue;
		}
		explain(diag_add(diags, DIAG_ERROR, &test->pos,
				 "this test fails: %s '%s' must give %s, and gives %s",
				 acts[test->kind], test->target, names_verdict(test->expect),
				 names_verdict(result.verdict)),
			image, &result);
	}
	if (passed != policy->test_count)
		return -EINVAL;
	*ret_passed = passed;
	return 0;
}
