/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket diff` as people and scripts use it: what it prints, and its exit status.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "commands.h"

#define HEAD "picket: 1\negress:\n  rules:\n"
#define OLD "old.yaml"
#define NEW "new.yaml"

static const char old_policy[] = HEAD "    - {allow: \"192.0.2.4:443\", id: forge}\n"
				      "exec:\n"
				      "  default: allow\n"
				      "  rules:\n"
				      "    - {deny: git push}\n";
/* Another order and other words, and the same meaning. */
static const char same_policy[] = HEAD "    - {allow: \"192.0.2.4/32:443-443\"}\n"
				       "exec:\n"
				       "  rules:\n"
				       "    - {deny: git push ...}\n"
				       "  default: allow\n";
static const char new_policy[] = HEAD "    - {allow: \"192.0.2.4/31:443\", id: forge}\n"
				      "exec:\n"
				      "  default: allow\n"
				      "  rules:\n"
				      "    - {ask: git push}\n"
				      "    - {deny: sudo}\n"
				      "process: {profile: strict, ptrace: allow}\n";

static const char report[] = "opens\n"
			     "  connect 192.0.2.5:443 for tcp, udp: deny -> allow\n"
			     "    before: default deny of egress\n"
			     "    after:  rule allow at new.yaml:4:15: 192.0.2.4/31:443 (forge)\n"
			     "asks\n"
			     "  run /git push: deny -> ask\n"
			     "    before: rule deny at old.yaml:8:14: git push\n"
			     "    after:  rule ask at new.yaml:8:13: git push\n"
			     "closes\n"
			     "  exec /sudo: allow -> deny\n"
			     "    before: default allow of exec\n"
			     "    after:  rule deny at new.yaml:9:14: sudo\n"
			     "settings\n"
			     "  process.ptrace: deny -> allow (opens)\n";

/* Arguments, the exit status, and a part of what is said; "" = nothing. */
static const struct {
	const char *args[ARGS_MAX];
	int code;
	const char *out;
	const char *err;
} calls[] = {
	{ { "diff", OLD, NEW, "--no-managed" }, 1, report, "" },
	{ { "diff", OLD, OLD, "--no-managed" }, 0, "equal: ", "" },
	{ { "diff", OLD, "same.yaml", "--no-managed" }, 0, "equal: ", "" },
	{ { "diff", "--fail-on", "opens", OLD, NEW, "--no-managed" }, 1, "opens\n", "" },
	{ { "diff", "--fail-on", "opens", OLD, "less.yaml", "--no-managed" }, 0, "closes\n", "" },
	{ { "diff", "--fail-on", "closes", OLD, "less.yaml", "--no-managed" }, 1, "closes\n", "" },
	{ { "diff", "--fail-on", "closes", "less.yaml", OLD, "--no-managed" }, 0, "opens\n", "" },
	{ { "diff", "--fail-on", "any", OLD, "less.yaml", "--no-managed" }, 1, "closes\n", "" },
	{ { "diff", "--fail-on", "widen", OLD, NEW }, 2, "", "none of opens, closes, any" },
	{ { "diff", OLD }, 2, "", "two policies are compared, not 1" },
	{ { "diff", OLD, NEW, OLD }, 2, "", "two policies are compared, not 3" },
	{ { "diff", OLD, "missing.yaml" }, 1, "", "missing.yaml" },
	{ { "diff", "broken.yaml", OLD }, 1, "", "broken.yaml:2:1: error:" },
	{ { "diff", "--frob", OLD, NEW }, 2, "", "unrecognized option" },
	{ { "diff", "--help" }, 0, "usage: picket diff", "" },
};

static void prints_and_exits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, calls[i].args, NULL);

		if (outcome.code != calls[i].code || !strstr(outcome.out, calls[i].out) ||
		    !strstr(outcome.err, calls[i].err) || (!*calls[i].out && *outcome.out) ||
		    (!*calls[i].err && *outcome.err))
			fail_msg("call %zu: exit %d\n%s%s", i, outcome.code, outcome.out,
				 outcome.err);
	}
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void json_has_the_same(void **state)
{
	static const char *const args[ARGS_MAX] = { "diff", "--json", OLD, NEW, "--no-managed" };
	CLEAN(outcome_reset) struct outcome outcome = run(NULL, args, NULL);
	json_t *root = json_loads(outcome.out, 0, NULL);
	const json_t *first;

	(void)state;
	assert_int_equal(outcome.code, 1);
	assert_non_null(root);
	assert_string_equal(text_at(root, "schema"), "picket.diff/1");
	assert_true(json_is_false(json_object_get(root, "equal")));
	assert_true(json_is_true(json_object_get(root, "complete")));
	assert_int_equal(json_integer_value(json_object_get(root, "opens")), 3);
	assert_int_equal(json_integer_value(json_object_get(root, "closes")), 1);
	assert_int_equal(json_array_size(json_object_get(root, "changes")), 3);
	first = json_array_get(json_object_get(root, "changes"), 2);
	assert_string_equal(text_at(first, "act"), "connect");
	assert_string_equal(text_at(first, "change"), "opens");
	assert_string_equal(text_at(first, "target"), "192.0.2.5:443");
	assert_string_equal(text_at(json_object_get(first, "before"), "verdict"), "deny");
	assert_string_equal(
		text_at(json_object_get(json_object_get(first, "after"), "rule"), "file"), NEW);
	assert_int_equal(json_array_size(json_object_get(root, "settings")), 1);
	json_decref(root);
}

/* 1,000 rules about folders and names that no other policy has. */
static void write_unrelated(const char *name, const char *word)
{
	CLEAN_FILE FILE *to = fopen(name, "we");

	assert_non_null(to);
	fprintf(to, "picket: 1\nfiles:\n  rules:\n");
	for (int i = 0; i < 1000; i++)
		if (i % 9 == 0)
			fprintf(to, "    - {deny: \"**/%s%d.key\"}\n", word, i);
		else
			fprintf(to, "    - {allow: \"/srv/%s%d%s\", access: read}\n", word, i,
				i % 2 ? "/*.{c,h}" : "/src/**");
}

static void says_what_is_not_listed(void **state)
{
	static const char *const args[ARGS_MAX] = { "diff", "--json", "left.yaml", "right.yaml",
						    "--no-managed" };
	CLEAN(outcome_reset) struct outcome outcome = { 0 };
	json_t *root;

	(void)state;
	write_unrelated("left.yaml", "left");
	write_unrelated("right.yaml", "right");
	outcome = run(NULL, args, NULL);
	root = json_loads(outcome.out, 0, NULL);
	assert_int_equal(outcome.code, 1);
	assert_non_null(root);
	assert_true(json_is_false(json_object_get(root, "equal")));
	assert_true(json_is_false(json_object_get(root, "complete")));
	assert_true(json_is_true(json_object_get(root, "all_kinds")));
	assert_true(json_integer_value(json_object_get(root, "opens")) > 0);
	assert_true(json_integer_value(json_object_get(root, "closes")) > 0);
	assert_non_null(strstr(outcome.err, "picket diff: the policies have little in common: at "
					    "least "));
	json_decref(root);
}

static char folder[] = "/tmp/picket-diff-XXXXXX";
static const char *const files[] = { OLD,	   NEW,		  "same.yaml",
				     "less.yaml",  "broken.yaml", "left.yaml",
				     "right.yaml", "stdout.txt",  "stderr.txt" };

static int enter_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	write_file(OLD, old_policy);
	write_file(NEW, new_policy);
	write_file("same.yaml", same_policy);
	write_file("less.yaml", HEAD "    - {allow: \"192.0.2.4:443\", protocol: tcp}\n"
				     "exec: {default: allow, rules: [{deny: git}]}\n");
	write_file("broken.yaml", "picket: 1\nfils: {}\n");
	return 0;
}

static int leave_folder(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		(void)unlink(files[i]);
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_and_exits),
		cmocka_unit_test(json_has_the_same),
		cmocka_unit_test(says_what_is_not_listed),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
