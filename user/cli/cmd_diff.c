/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket diff`: what changes when one policy takes the place of another, as acts.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "author/diff.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/diff_print.h"
#include "cli/policy_options.h"

#define SIDES 2

static const char help[] =
	"usage: picket diff [options] BEFORE AFTER\n"
	"\n"
	"Compare two policies by what they decide: for every kind of act whose verdict changes a\n"
	"shortest example, both verdicts, and the rules that decide.\n"
	"\n"
	"      --fail-on WHICH    exit with 1 for: opens (something gets a milder verdict), closes,\n"
	"                         or any difference (the default)\n" POLICY_HELP_SET POLICY_HELP_USER
		POLICY_HELP_LAYERS "      --json             the differences as one JSON document\n"
	"\n"
	"Exit status: 0: nothing of what --fail-on says; 1: differences, or a policy is not valid;\n"
	"             2: usage.\n";

enum option_id { OPTION_FAIL_ON = 256 };

/* What --fail-on says. */
enum fail_on { FAIL_ON_ANY, FAIL_ON_OPENS, FAIL_ON_CLOSES };

struct command {
	struct policy_args args[SIDES];
	struct cli_policy policies[SIDES];
	enum fail_on fail_on;
	bool json;
};

static void command_reset(struct command *command)
{
	for (size_t i = 0; i < SIDES; i++) {
		policy_args_reset(&command->args[i]);
		cli_policy_reset(&command->policies[i]);
	}
}

/* The command's own option. */
static int take_fail_on(void *context, int option)
{
	struct command *command = context;
	const char *value = optarg;

	static const char *const words[] = {
		[FAIL_ON_ANY] = "any",
		[FAIL_ON_OPENS] = "opens",
		[FAIL_ON_CLOSES] = "closes",
	};

	(void)option;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(value, words[i]) != 0)
			continue;
		command->fail_on = i;
		return CLI_OK;
	}
	return cli_usage("diff", "--fail-on '%s' is none of opens, closes, any", value);
}

/* The exit code of what was found. */
static int conclude(const struct command *command, const struct diff *diff)
{
	size_t opens = diff_report_count(diff, DIFF_OPENS);
	size_t closes = diff_report_count(diff, DIFF_CLOSES);
	bool fails = command->fail_on == FAIL_ON_OPENS	? opens > 0 :
		     command->fail_on == FAIL_ON_CLOSES ? closes > 0 :
							  diff->count || diff->setting_count;

	if (fails)
		return CLI_FAILED;
	return diff->incomplete ?
		       cli_error("diff", "cannot tell whether they are equal: over %u states",
				 DIFF_STATES_MAX) :
		       CLI_OK;
}

/* Say what is not listed. */
static void warn_of_rest(const struct diff *diff)
{
	if (diff->incomplete)
		(void)fprintf(
			stderr,
			"picket diff: the policies differ in too many ways to see all of them: "
			"stopped at %u states\n"
			"Hint: compare with a policy in between, or anchor patterns that begin "
			"with '**'\n",
			DIFF_STATES_MAX);
	else if (diff->partial)
		(void)fprintf(
			stderr,
			"picket diff: the policies have little in common: at least %zu "
			"differences; each kind of them has an example above, not each pair of "
			"rules\n"
			"Hint: compare with a policy in between\n",
			diff->count + diff->setting_count);
}

static int compare(struct command *command)
{
	CLEAN(diff_reset) struct diff diff = { 0 };
	const struct diff_report report = {
		.paths = { command->args[0].path, command->args[1].path },
		.images = { &command->policies[0].image, &command->policies[1].image },
		.diff = &diff,
	};
	int r = diff_images(report.images[0], report.images[1], DIFF_DETAIL_MAX, &diff);
	int code;

	if (r < 0) {
		errno = -r;
		return cli_error("diff", "cannot compare '%s' and '%s': %m", report.paths[0],
				 report.paths[1]);
	}
	code = command->json ? diff_report_json(&report) : diff_report_print(&report);
	warn_of_rest(&diff);
	return code == CLI_OK ? conclude(command, &diff) : code;
}

int cmd_diff(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fail-on", required_argument, NULL, OPTION_FAIL_ON },
		{ NULL, 0, NULL, 0 },
	};
	CLEAN(command_reset) struct command command = { 0 };
	const struct policy_options all = {
		.command = "diff",
		.help = help,
		.own = options,
		.take = take_fail_on,
		.context = &command,
		.shared = POLICY_OPTION_SET | POLICY_OPTION_USER | POLICY_OPTION_LAYERS |
			  POLICY_OPTION_JSON,
		.args = command.args,
		.count = SIDES,
		.json = &command.json,
	};
	int code;

	if (!policy_options_parse(&all, argc, argv, &code))
		return code;
	if (argc - optind != SIDES)
		return cli_usage(
			"diff",
			"two policies are compared, not %d: write 'picket diff BEFORE AFTER'",
			argc - optind);
	for (size_t i = 0; i < SIDES; i++) {
		command.args[i].path = argv[optind + (int)i];
		code = policy_options_compile("diff", &command.args[i], &command.policies[i]);
		if (code != CLI_OK)
			return code;
	}
	return compare(&command);
}
