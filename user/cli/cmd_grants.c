/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket grants`: what approvers have answered and what still holds.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"
#include "cli/duration.h"
#include "cli/json_out.h"
#include "cli/requests.h"
#include "cli/table.h"

static const char help[] =
	"usage: picket grants [--json] [AGENT]\n"
	"\n"
	"List what AGENT, or any agent, was approved and may still do, and refusals that still hold.\n"
	"\n"
	"      --json   all that picketd tells, as one JSON document\n"
	"\n"
	"`picket revoke GRANT` takes one back.\n"
	"Exit status: 0; 1 when picketd cannot be asked.\n";

static const struct table_column columns[] = {
	{ "GRANT", true }, { "AGENT", false }, { "MODE", false }, { "USES", true },
	{ "ENDS", false }, { "BY", false },    { "WHAT", false },
};

static char *approvers(const json_t *grant)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	requests_print_approvers(json_object_get(grant, "approved_by"), to);
	return text_close(to, &text) ? NULL : text;
}

static void put_end(struct table *table, const json_t *grant)
{
	long ends = (long)json_number_value(json_object_get(grant, "expires"));
	char length[32];
	char text[48];

	if (ends <= 0) {
		table_put_text(table, "with the agent");
		return;
	}
	(void)snprintf(text, sizeof(text), "in %s",
		       duration_text(ends - (long)time(NULL), length, sizeof(length)));
	table_put_text(table, text);
}

static void put_grant(struct table *table, const json_t *grant)
{
	const json_t *uses = json_object_get(grant, "uses");
	CLEAN_FREE char *by = approvers(grant);
	CLEAN_FREE char *act = requests_act(grant);

	table_put_number(table, daemon_number(grant, "grant"));
	table_put_text(table, daemon_text(grant, "agent"));
	table_put_text(table, daemon_text(grant, "mode"));
	if (json_is_integer(uses))
		table_put_number(table, json_integer_value(uses));
	else
		table_put_text(table, "any");
	put_end(table, grant);
	table_put_safe(table, by);
	table_put_safe(table, act);
}

int cmd_grants(int argc, char **argv)
{
	struct daemon_args args = {
		.command = "grants", .help = help, .takes_json = true, .takes_agent = true
	};
	CLEAN(table_reset)
	struct table table = { .columns = columns,
			       .column_count = sizeof(columns) / sizeof(columns[0]) };
	json_t *result = NULL;
	const json_t *grant;
	size_t i;
	int code;

	if (daemon_args_parse(&args, argc, argv, &code))
		return code;
	code = daemon_ask("grants", "grant.list", json_pack("{s:s*}", "agent", args.agent),
			  &result);
	if (code)
		return code;
	if (args.json)
		return json_out_print("grants", result);
	json_array_foreach(json_object_get(result, "grants"), i, grant)
		put_grant(&table, grant);
	table_print(&table, 0, stdout);
	json_decref(result);
	return CLI_OK;
}
