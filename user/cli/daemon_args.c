/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operands are checked for their number; whether there is such an agent is picketd's to say.
 */
#include "cli/daemon_args.h"

#include <getopt.h>
#include <stddef.h>

#include "cli/cli.h"

static int take_operand(struct daemon_args *args, int argc, char **argv)
{
	int given = argc - optind;

	if (given > (args->takes_agent ? 1 : 0))
		return cli_usage(args->command, "'%s' is one word too many",
				 argv[optind + (args->takes_agent ? 1 : 0)]);
	if (given == 0 && args->needs_agent)
		return cli_usage(args->command, "no agent given: `picket ps` lists them");
	args->agent = given ? argv[optind] : NULL;
	return CLI_OK;
}

int daemon_args_parse(struct daemon_args *args, int argc, char **argv, int *ret_exit)
{
	const struct option with_json[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	const struct option without[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", args->takes_json ? with_json : without,
				     NULL)) >= 0) {
		if (option == 'j') {
			args->json = true;
			continue;
		}
		*ret_exit = option == 'h' ? cli_help(args->help) : cli_usage(args->command, NULL);
		return -1;
	}
	*ret_exit = take_operand(args, argc, argv);
	return *ret_exit ? -1 : 0;
}
