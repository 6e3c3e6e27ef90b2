/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket test`: the tests in policies, and those in files beside them.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "author/coverage.h"
#include "author/tests_file.h"
#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/policy_options.h"
#include "cli/table.h"
#include "policy/policy_args.h"
#include "policy/policy_tests.h"
#include "telemetry/names.h"

static const char help[] =
	"usage: picket test [options] [FILE|FOLDER...]\n"
	"\n"
	"Run the tests of policies, and of files of tests:\n"
	"\n"
	"    policy: agent.yaml              # relative to the file\n"
	"    set: {workspace: /srv/app}      # variables of the policy; may be left away\n"
	"    tests:\n"
	"      - {open: \"${workspace}/a\", access: write, expect: allow}\n"
	"\n"
	"Of a FOLDER (the working directory when nothing is named) all such files ending in .yaml.\n"
	"Each policy is asked alone, without managed layers.\n"
	"\n"
	"      --tap              results as TAP\n"
	"      --coverage         also which rules decided none of the tests\n" POLICY_HELP_SET
		POLICY_HELP_USER "\n"
	"Exit status: 0: all pass; 1: one fails, or a file is faulty; 2: usage.\n";

struct test_command {
	struct policy_args given; /* options */
	size_t passed, failed, faulty; /* tests; files that have none to run */
	bool tap;
	bool coverage;
};

static void command_reset(struct test_command *command)
{
	policy_args_reset(&command->given);
}

static void put_text(const char *text, FILE *to)
{
	escape_write(to, text, strlen(text), 0);
}

/* Who decided, in a few words. */
static void put_decider(const struct policy_image *image, const struct pk_result *result, FILE *to)
{
	const struct pk_rule *rule = result->reason == PK_REASON_DEFAULT ||
						     result->reason == PK_REASON_UNJUDGED ?
					     NULL :
					     image_rule(image, result->rule);

	if (rule)
		(void)fprintf(to, "%s:%u", image_string(image, rule->file), rule->line);
	else if (result->reason == PK_REASON_DEFAULT)
		(void)fprintf(to, "default of %s", names_section(result->rule & 0xff));
	else
		(void)fprintf(to, "%s", names_reason(result->reason));
}

static char *decider(const struct policy_image *image, const struct pk_result *result)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	put_decider(image, result, to);
	return fclose(to) == 0 ? text : NULL;
}

static void report_tap(struct test_command *command, const struct policy_test *test,
		       const struct pk_result *result, const char *who)
{
	bool good = result->verdict == test->expect;

	(void)printf("%s %zu - ", good ? "ok" : "not ok",
		     command->passed + command->failed + command->faulty);
	put_text(test->pos.file, stdout);
	(void)printf(":%u %s ", test->pos.line, policy_test_act(test->kind));
	put_text(test->target, stdout);
	(void)printf(": %s\n", names_verdict(test->expect));
	if (!good)
		(void)printf("#   it gives %s, by %s\n", names_verdict(result->verdict), who);
}

static void report_row(struct table *table, const struct policy_test *test,
		       const struct pk_result *result, const char *who)
{
	CLEAN_FREE char *place = NULL;

	if (asprintf(&place, "%s:%u", test->pos.file, test->pos.line) < 0)
		place = NULL;
	table_put_text(table, result->verdict == test->expect ? "pass" : "FAIL");
	table_put_text(table, place);
	table_put_text(table, policy_test_act(test->kind));
	table_put_text(table, test->target);
	table_put_text(table, names_verdict(test->expect));
	table_put_text(table, names_verdict(result->verdict));
	table_put_text(table, who);
}

static int run_one(struct test_command *command, struct table *table, struct coverage *coverage,
		   const struct policy_test *test)
{
	CLEAN_FREE char *who = NULL;
	struct pk_result result;
	int r = policy_test_judge(test, coverage->image, &result);

	if (r < 0)
		return r;
	coverage_add(coverage, &result);
	who = decider(coverage->image, &result);
	if (result.verdict == test->expect)
		command->passed++;
	else
		command->failed++;
	if (command->tap)
		report_tap(command, test, &result, who ? who : "?");
	else
		report_row(table, test, &result, who ? who : "?");
	return 0;
}

/* Rules that decided nothing; as comments under TAP. */
static void report_coverage(const struct test_command *command, const struct coverage *coverage,
			    const char *path)
{
	const char *sign = command->tap ? "# " : "";
	size_t all = 0;
	size_t decisive = 0;

	for (__u32 i = 0; i < coverage->count; i++) {
		all += coverage_counts(coverage, i);
		decisive += coverage_counts(coverage, i) && coverage->decisive[i];
	}
	(void)printf("%s", sign);
	put_text(path, stdout);
	(void)printf(": %zu of %zu rules decided a test\n", decisive, all);
	for (__u32 i = 0; i < coverage->count; i++) {
		const struct pk_rule *rule = image_rule(coverage->image, i);

		if (coverage->decisive[i] || !coverage_counts(coverage, i))
			continue;
		(void)printf("%s  never decisive: ", sign);
		put_text(image_string(coverage->image, rule->file), stdout);
		(void)printf(":%u:%u: %s %s \"", rule->line, rule->column,
			     names_section(rule->section), names_verdict(rule->verdict));
		put_text(image_string(coverage->image, rule->text), stdout);
		(void)printf("\"\n");
	}
}

static int run_tests(struct test_command *command, const struct cli_policy *policy,
		     const char *path)
{
	static const struct table_column columns[] = {
		{ "RESULT", false }, { "TEST", false },	 { "ACT", false }, { "OF", false },
		{ "EXPECT", false }, { "GIVES", false }, { "BY", false },
	};
	CLEAN(table_reset)
	struct table table = { .columns = columns,
			       .column_count = sizeof(columns) / sizeof(columns[0]) };
	CLEAN(coverage_reset) struct coverage coverage = { 0 };
	int r = coverage_start(&coverage, &policy->image);

	for (size_t i = 0; i < policy->policy->test_count && r == 0; i++) {
		const struct policy_test *test = &policy->policy->tests[i];

		/* Those of presets are tested where presets are made. */
		if (strncmp(test->pos.file, "presets/", 8) != 0)
			r = run_one(command, &table, &coverage, test);
	}
	if (r < 0)
		return r;
	if (!command->tap && table.count)
		table_print(&table, 0, stdout);
	if (command->coverage)
		report_coverage(command, &coverage, path);
	return 0;
}

/* A file that cannot be tested is one failed result. */
static void report_faulty(struct test_command *command, const char *path,
			  const struct diag_list *diags)
{
	cli_print_diags(diags);
	command->faulty++;
	if (!command->tap)
		return;
	(void)printf("not ok %zu - ", command->passed + command->failed + command->faulty);
	put_text(path, stdout);
	(void)printf(" is a policy or a file of tests\n");
}

static int set_variables(struct policy_args *args, const struct test_command *command,
			 const struct tests_file *file)
{
	int r = 0;

	for (size_t i = 0; i < command->given.override_count && r == 0; i++) {
		const struct policy_variable *set = &command->given.overrides[i];
		CLEAN_FREE char *text = NULL;

		if (asprintf(&text, "%s=%s", set->name, set->value) < 0) {
			text = NULL;
			return -ENOMEM;
		}
		r = policy_args_set(args, text);
	}
	for (size_t i = 0; i < file->set_count && r == 0; i++)
		r = policy_args_set(args, file->sets[i]);
	return r;
}

/* Compile what @file tests, and run its tests. */
static int test_file(struct test_command *command, const char *path, const struct tests_file *file,
		     struct diag_list *diags)
{
	CLEAN(policy_args_reset) struct policy_args args = { 0 };
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	int r = policy_args_identity(&args, command->given.user);

	args.path = file->is_policy ? path : file->policy;
	args.tests = file->is_policy ? NULL : path;
	args.no_managed = true;
	args.untested = true;
	if (r == 0)
		r = set_variables(&args, command, file);
	if (r == 0)
		r = policy_args_compile(&args, &policy, diags);
	if (r < 0)
		return r;
	cli_print_diags(diags);
	return run_tests(command, &policy, path);
}

/* @named: it was asked for by its name, so it must be one of the two. */
static int test_path(struct test_command *command, const char *path, bool named)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(tests_file_reset) struct tests_file file = { 0 };
	int r = tests_file_read(path, &file, &diags);

	if (r == 0 && file.is_other && !named)
		return 0;
	if (r == 0 && file.is_other) {
		diag_hint(diag_add(&diags, DIAG_ERROR, NULL,
				   "'%s' is neither a policy nor a file of tests", path),
			  "a policy has the key 'picket', a file of tests the key 'policy'");
		r = -EINVAL;
	}
	if (r == 0)
		r = test_file(command, path, &file, &diags);
	if (r == -ENOMEM)
		return r;
	if (r < 0 && !diag_has_errors(&diags))
		(void)diag_add(&diags, DIAG_ERROR, NULL, "cannot test '%s': %s", path,
			       strerror(-r));
	if (r < 0)
		report_faulty(command, path, &diags);
	return 0;
}

static int is_yaml(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

static int test_folder(struct test_command *command, const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_yaml, alphasort);
	int r = count < 0 ? -errno : 0;

	for (int i = 0; i < count; i++) {
		CLEAN_FREE char *path = NULL;

		if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0) {
			path = NULL;
			r = -ENOMEM;
		}
		if (r == 0)
			r = test_path(command, path, false);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int test_all(struct test_command *command, int count, char *const *paths)
{
	struct stat st;
	int r = 0;

	for (int i = 0; i < count && r == 0; i++) {
		if (stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode))
			r = test_folder(command, paths[i]);
		else
			r = test_path(command, paths[i], true);
		if (r < 0)
			return cli_error("test", "cannot test '%s': %s", paths[i], strerror(-r));
	}
	if (command->tap)
		(void)printf("1..%zu\n", command->passed + command->failed + command->faulty);
	else
		(void)printf("%zu passed, %zu failed\n", command->passed, command->failed);
	if (!command->tap && !command->faulty && command->passed + command->failed == 0)
		return cli_error("test", "there is no test");
	return command->failed || command->faulty ? CLI_FAILED : CLI_OK;
}

enum option_id { OPTION_TAP = 256, OPTION_COVERAGE };

/* One of the command's own options. */
static int take_option(void *context, int option)
{
	struct test_command *command = context;

	if (option == OPTION_TAP)
		command->tap = true;
	else
		command->coverage = true;
	return CLI_OK;
}

int cmd_test(int argc, char **argv)
{
	static const struct option options[] = {
		{ "tap", no_argument, NULL, OPTION_TAP },
		{ "coverage", no_argument, NULL, OPTION_COVERAGE },
		{ NULL, 0, NULL, 0 },
	};
	static char *const here[] = { (char *)"." };
	CLEAN(command_reset) struct test_command command = { 0 };
	const struct policy_options all = {
		.command = "test",
		.help = help,
		.own = options,
		.take = take_option,
		.context = &command,
		.shared = POLICY_OPTION_SET | POLICY_OPTION_USER,
		.args = &command.given,
		.count = 1,
	};
	int code;

	if (!policy_options_parse(&all, argc, argv, &code))
		return code;
	if (optind == argc)
		return test_all(&command, 1, here);
	return test_all(&command, argc - optind, argv + optind);
}
