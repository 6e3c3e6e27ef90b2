/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket status`: how picketd is.
 */
#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"
#include "cli/json_lines.h"
#include "cli/json_out.h"

static const char help[] =
	"usage: picket status [--json]\n"
	"\n"
	"Show how picketd is: its build, tier, agents, clients, losses and errors.\n"
	"\n"
	"      --json   the same as one JSON document\n"
	"\n"
	"Exit status: 0; 1 when picketd cannot be asked.\n";

int cmd_status(int argc, char **argv)
{
	struct daemon_args args = { .command = "status", .help = help, .takes_json = true };
	json_t *result = NULL;
	int code;

	if (daemon_args_parse(&args, argc, argv, &code))
		return code;
	code = daemon_ask("status", "status", json_object(), &result);
	if (code)
		return code;
	if (args.json)
		return json_out_print("status", result);
	json_lines_print(result, "", stdout);
	json_decref(result);
	return CLI_OK;
}
