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
	struct option options[5] = { { "help", no_argument, NULL, 'h' } };
	size_t count = 1;
	int option;

	if (args->takes_json)
		options[count++] = (struct option){ "json", no_argument, NULL, 'j' };
	if (args->takes_watch)
		options[count++] = (struct option){ "watch", no_argument, NULL, 'w' };
	if (args->takes_detail)
		options[count++] = (struct option){ "detail", no_argument, NULL, 'd' };
	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		args->json |= option == 'j';
		args->watch |= option == 'w';
		args->detail |= option == 'd';
		if (option == 'j' || option == 'w' || option == 'd')
			continue;
		*ret_exit = option == 'h' ? cli_help(args->help) : cli_usage(args->command, NULL);
		return -1;
	}
	*ret_exit = take_operand(args, argc, argv);
	return *ret_exit ? -1 : 0;
}
