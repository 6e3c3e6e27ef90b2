/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket tail`: events as they come, until picketd or the reader ends.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"
#include "cli/daemon_follow.h"

static const char help[] =
	"usage: picket tail [--json] [AGENT]\n"
	"\n"
	"Show what AGENT, or every agent, is denied, as it happens, until interrupted.\n"
	"\n"
	"      --json   a line of JSON for each event\n"
	"\n"
	"Exit status: 1 when picketd cannot be asked, or ends.\n";

/* That policies were replaced is told to people; an event it is not. */
static void print_reloaded(const struct daemon_args *args, const json_t *params)
{
	if (!args->json)
		(void)printf("agent %s: the policy was replaced: %.16s -> %.16s\n%s",
			     daemon_text(params, "agent"), daemon_text(params, "old"),
			     daemon_text(params, "new"), daemon_text(params, "diff"));
}

static void print_event(void *context, const char *method, json_t *params)
{
	const struct daemon_args *args = context;
	const json_t *event = json_object_get(params, "event");
	CLEAN_FREE char *line = NULL;

	if (strcmp(method, "reloaded") == 0)
		print_reloaded(args, params);
	if (strcmp(method, "event") != 0)
		return;
	if (!args->json) {
		(void)fputs(daemon_text(params, "text"), stdout);
		return;
	}
	line = event ? json_dumps(event, JSON_COMPACT) : NULL;
	if (line)
		(void)puts(line);
}

int cmd_tail(int argc, char **argv)
{
	struct daemon_args args = {
		.command = "tail", .help = help, .takes_json = true, .takes_agent = true
	};
	CLEAN(control_close) struct control control = CONTROL_NONE;
	json_t *result = NULL;
	json_t *params;
	int code;

	if (daemon_args_parse(&args, argc, argv, &code))
		return code;
	code = daemon_connect("tail", &control);
	if (code)
		return code;
	control.notified = print_event;
	control.context = &args;
	params = json_pack("{s:s*, s:b, s:b}", "agent", args.agent, "text", !args.json, "colour",
			   cli_use_colour(STDOUT_FILENO));
	code = daemon_call("tail", &control, "events.subscribe", params, &result);
	json_decref(result);
	return code ? code : daemon_follow("tail", &control);
}
