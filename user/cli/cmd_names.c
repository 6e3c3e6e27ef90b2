/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket names`: which addresses the names in answers of resolvers stand for.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"
#include "cli/json_out.h"

static const char help[] =
	"usage: picket names [--json] AGENT\n"
	"\n"
	"Show which addresses an agent has learned for names, for how long they hold, and the rule\n"
	"that lets the name be asked for.\n"
	"\n"
	"      --json   the same as one JSON document\n"
	"\n"
	"Exit status: 0; 1 when there is no such agent.\n";

int cmd_names(int argc, char **argv)
{
	struct daemon_args args = { .command = "names",
				    .help = help,
				    .takes_json = true,
				    .takes_agent = true,
				    .needs_agent = true };
	json_t *result = NULL;
	int code;

	if (daemon_args_parse(&args, argc, argv, &code))
		return code;
	code = daemon_ask("names", "agent.names", json_pack("{s:s}", "agent", args.agent), &result);
	if (code)
		return code;
	if (args.json)
		return json_out_print("names", json_incref(json_object_get(result, "names")));
	(void)fputs(daemon_text(result, "text"), stdout);
	json_decref(result);
	return CLI_OK;
}
