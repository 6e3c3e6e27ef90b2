/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket reload`: policies are read and compiled again; an agent whose policy is broken keeps its
 * old one.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"

static const char help[] =
	"usage: picket reload [AGENT]\n"
	"\n"
	"Read the policies of AGENT, or of all agents, again, and judge by them from now on. An agent\n"
	"whose policy has errors keeps the old one.\n"
	"\n"
	"Exit status: 0; 1 when a policy has errors or picketd cannot be asked.\n";

static void print_reloaded(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		(void)printf("%s  %.16s -> %.16s\n", daemon_text(item, "agent"),
			     daemon_text(item, "old"), daemon_text(item, "new"));
		(void)fputs(daemon_text(item, "diff"), stdout);
	}
}

static int print_failed(const json_t *list)
{
	int code = CLI_OK;
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		(void)fputs(daemon_text(item, "findings"), stderr);
		code = cli_error("reload",
				 "agent '%s' keeps its old policy: the new one has errors",
				 daemon_text(item, "agent"));
	}
	return code;
}

int cmd_reload(int argc, char **argv)
{
	struct daemon_args args = { .command = "reload", .help = help, .takes_agent = true };
	json_t *result = NULL;
	int code;

	if (daemon_args_parse(&args, argc, argv, &code))
		return code;
	code = daemon_ask("reload", "policy.reload", json_pack("{s:s*}", "agent", args.agent),
			  &result);
	if (code)
		return code;
	print_reloaded(json_object_get(result, "reloaded"));
	code = print_failed(json_object_get(result, "failed"));
	json_decref(result);
	return code;
}
