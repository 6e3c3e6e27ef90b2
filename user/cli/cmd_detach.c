/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket detach`: an attached agent's processes are free again.
 */
#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"
#include "cli/json_lines.h"

static const char help[] =
	"usage: picket detach AGENT\n"
	"\n"
	"End an agent that `picket attach` made: its processes go on and are free. Prints what was\n"
	"counted.\n"
	"\n"
	"Exit status: 0; 1 when there is no such agent, or it cannot be ended.\n";

int cmd_detach(int argc, char **argv)
{
	struct daemon_args args = {
		.command = "detach", .help = help, .takes_agent = true, .needs_agent = true
	};
	json_t *result = NULL;
	int code;

	if (daemon_args_parse(&args, argc, argv, &code))
		return code;
	code = daemon_ask("detach", "agent.detach", json_pack("{s:s}", "agent", args.agent),
			  &result);
	if (code)
		return code;
	json_lines_print(json_object_get(result, "counts"), "", stdout);
	json_decref(result);
	return CLI_OK;
}
