/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket learn`: a policy from what was recorded.
 */
#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/learn_out.h"
#include "cli/policy_options.h"
#include "cli/recordings.h"

static const char help[] =
	"usage: picket learn [options] EVENTS...\n"
	"\n"
	"Make a policy that allows what is in recorded events and little more. EVENTS are files of\n"
	"`picket run --learn --events FILE`, `picket run --events FILE` or `picket tail --json`; - is\n"
	"standard input. What is secret, and what was refused, is never allowed: it is listed.\n"
	"\n"
	"  -o, --output FILE      the file for the policy, which is replaced; else stdout\n"
	"      --name NAME        the name of the policy (learned)\n"
	"      --lossy            take recordings from which events are missing\n"
	"      --user USER        HOME and USER of this user, for events that do not tell\n"
	"\n"
	"Exit status: 0: done; 1: it failed; 2: usage.\n";

struct learn_command {
	struct policy_args args;
	struct recording recording;
	struct learn_out out;
	bool lossy;
};

static void command_reset(struct learn_command *command)
{
	recording_reset(&command->recording);
	policy_args_reset(&command->args);
}

enum option_id { OPTION_NAME = 256, OPTION_LOSSY };

/* One of the command's own options. */
static int take_option(void *context, int option)
{
	struct learn_command *command = context;

	switch (option) {
	case 'o':
		command->out.path = optarg;
		return CLI_OK;
	case OPTION_NAME:
		command->out.name = optarg;
		return CLI_OK;
	default:
		command->lossy = true;
		return CLI_OK;
	}
}

int cmd_learn(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "name", required_argument, NULL, OPTION_NAME },
		{ "lossy", no_argument, NULL, OPTION_LOSSY },
		{ NULL, 0, NULL, 0 },
	};
	CLEAN(command_reset) struct learn_command command = { .out.name = "learned" };
	const struct policy_options all = {
		.command = "learn",
		.help = help,
		.letters = "o:",
		.own = options,
		.take = take_option,
		.context = &command,
		.shared = POLICY_OPTION_USER,
		.args = &command.args,
		.count = 1,
	};
	int code;

	if (!policy_options_parse(&all, argc, argv, &code))
		return code;
	if (optind >= argc)
		return cli_usage("learn", "no recorded events: write 'picket learn EVENTS'");
	code = recordings_read("learn", argv + optind, argc - optind, command.lossy,
			       &command.recording);
	if (code != CLI_OK)
		return code;
	return learn_out("learn", &command.recording, &command.args, &command.out);
}
