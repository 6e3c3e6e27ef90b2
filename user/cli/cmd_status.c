/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket status`: how picketd is.
 */
#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"
#include "cli/json_lines.h"
#include "cli/json_out.h"

#include "base/escape.h"

static const char help[] =
	"usage: picket status [--detail] [--json]\n"
	"\n"
	"Show how picketd is: in a sentence, what is wrong, and then its build, tier, agents, clients,\n"
	"approvals, feeds, losses, the last reload and the last proof of enforcement.\n"
	"\n"
	"      --detail   also each program (runs, time) and each map (entries, room) in the kernel\n"
	"      --json     the same as one JSON document\n"
	"\n"
	"Exit status: 0; 1 when picketd cannot be asked or is not healthy.\n";

static void print_text(const json_t *text, const char *before)
{
	if (!json_is_string(text))
		return;
	(void)fputs(before, stdout);
	escape_write(stdout, json_string_value(text), json_string_length(text), 0);
	(void)fputs("\n", stdout);
}

/* The sentence and the problems first; what is left is shown as it comes. */
static void print(json_t *status)
{
	const json_t *problems = json_object_get(status, "problems");

	print_text(json_object_get(status, "health"), "");
	for (size_t i = 0; i < json_array_size(problems); i++)
		print_text(json_array_get(problems, i), "  - ");
	(void)json_object_del(status, "health");
	(void)json_object_del(status, "problems");
	json_lines_print(status, "", stdout);
}

int cmd_status(int argc, char **argv)
{
	struct daemon_args args = {
		.command = "status", .help = help, .takes_json = true, .takes_detail = true
	};
	json_t *params;
	json_t *result = NULL;
	bool healthy;
	int code;

	if (daemon_args_parse(&args, argc, argv, &code))
		return code;
	params = args.detail ? json_pack("{s:b}", "detail", 1) : json_object();
	code = daemon_ask("status", "status", params, &result);
	if (code)
		return code;
	healthy = !json_is_false(json_object_get(result, "healthy"));
	if (args.json) {
		code = json_out_print("status", result);
	} else {
		print(result);
		json_decref(result);
	}
	return code ? code : healthy ? CLI_OK : CLI_FAILED;
}
