/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inline tests: asked of the image in the way the kernel's hooks ask it.
 */
#include "policy/policy_tests.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/decide.h"
#include "policy/exec_words.h"
#include "telemetry/names.h"

/** Where a program without a path is looked for: picket's own, not the environment's. */
#define PROGRAM_FOLDER "/usr/bin"

/* A command line as the kernel gets it: the program's path, and the words as they are. */
static int judge_command(const struct policy_test *test, const struct policy_image *image,
			 __u32 subjects, struct pk_result *ret_result)
{
	CLEAN(exec_words_free) char **words = NULL;
	CLEAN_FREE char *path = NULL;
	int r = exec_words_split(test->target, &words);

	if (r < 0)
		return r;
	r = strchr(words[0], '/') ? asprintf(&path, "%s", words[0]) :
				    asprintf(&path, PROGRAM_FOLDER "/%s", words[0]);
	if (r < 0) {
		path = NULL;
		return -ENOMEM;
	}
	(void)decide_command(image, path, words, subjects, ret_result);
	return 0;
}

/* A name must be one that may be asked for, too. */
static void judge_connect(const struct policy_test *test, const struct policy_image *image,
			  struct pk_query *query, struct pk_result *ret_result)
{
	const struct decide_target to = {
		.address = test->host ? NULL : test->address.low,
		.host = test->host,
	};
	struct decided decided;
	struct pk_result question;

	query->section = PK_SECTION_EGRESS;
	(void)decide_destination(image, &to, query, &decided);
	*ret_result = decided.result;
	if (!test->host || ret_result->verdict != PK_VERDICT_ALLOW)
		return;
	(void)decide_name(image, test->host, &question);
	if (question.verdict != PK_VERDICT_ALLOW)
		*ret_result = question;
}

/* Listening, and where it may be: the peer. What programs there are is no matter to a peer. */
static void judge_listen(const struct policy_test *test, const struct policy_image *image,
			 struct pk_query *query, struct pk_result *ret_result)
{
	query->section = PK_SECTION_LISTEN;
	(void)decide_address_query(image, test->address.low, query, ret_result);
	if (!test->has_from || ret_result->verdict != PK_VERDICT_ALLOW)
		return;
	query->section = PK_SECTION_ACCEPT;
	(void)decide_address_query(image, test->from.low, query, ret_result);
}

/* What cannot be judged is a denial with its reason, like in the kernel. */
int policy_test_judge(const struct policy_test *test, const struct policy_image *image,
		      struct pk_result *ret_result)
{
	struct pk_query query = { .access = test->access, .port = test->port };

	if (test->by)
		(void)decide_subjects(image, test->by, &query.subjects);
	switch (test->kind) {
	case POLICY_TEST_CONNECT:
		judge_connect(test, image, &query, ret_result);
		break;
	case POLICY_TEST_LISTEN:
		judge_listen(test, image, &query, ret_result);
		break;
	case POLICY_TEST_OPEN:
		query.section = PK_SECTION_FILES;
		(void)decide_path_query(image, test->target, &query, ret_result);
		break;
	case POLICY_TEST_EXEC:
		(void)decide_exec_as(image, test->target, query.subjects, ret_result);
		break;
	case POLICY_TEST_UNIX:
		(void)decide_abstract(image, test->target, query.subjects, ret_result);
		break;
	case POLICY_TEST_RUN:
		return judge_command(test, image, query.subjects, ret_result);
	}
	return 0;
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

const char *policy_test_act(enum policy_test_kind kind)
{
	static const char *const acts[] = {
		[POLICY_TEST_CONNECT] = "connect to",
		[POLICY_TEST_OPEN] = "open",
		[POLICY_TEST_EXEC] = "exec",
		[POLICY_TEST_RUN] = "run",
		[POLICY_TEST_UNIX] = "connect to the socket",
		[POLICY_TEST_LISTEN] = "listen on",
	};

	return acts[kind];
}

int policy_tests_run(const struct policy *policy, const struct policy_image *image,
		     size_t *ret_passed, struct diag_list *diags)
{
	size_t passed = 0;

	for (size_t i = 0; i < policy->test_count; i++) {
		const struct policy_test *test = &policy->tests[i];
		struct pk_result result;

		if (policy_test_judge(test, image, &result) < 0)
			return -ENOMEM;
		if (result.verdict == test->expect) {
			passed++;
			continue;
		}
		explain(diag_add(diags, DIAG_ERROR, &test->pos,
				 "this test fails: %s '%s'%s%s must give %s, and gives %s",
				 policy_test_act(test->kind), test->target, test->by ? " by " : "",
				 test->by ? test->by : "", names_verdict(test->expect),
				 names_verdict(result.verdict)),
			image, &result);
	}
	if (passed != policy->test_count)
		return -EINVAL;
	*ret_passed = passed;
	return 0;
}
