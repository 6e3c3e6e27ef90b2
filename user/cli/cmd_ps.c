/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket ps`: the agents that picketd looks after, a line each.
 */
#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"
#include "cli/json_out.h"
#include "cli/table.h"

static const char help[] =
	"usage: picket ps [--json]\n"
	"\n"
	"List the agents of this host: their policies, and what they were denied.\n"
	"\n"
	"      --json   all that picketd tells, as one JSON document\n"
	"\n"
	"Exit status: 0; 1 when picketd cannot be asked.\n";

static const struct table_column columns[] = {
	{ "AGENT", false }, { "NAME", false },	{ "POLICY", false }, { "MODE", false },
	{ "TASKS", true },  { "DENIED", true }, { "ASKED", true },   { "LOST", true },
	{ "SINCE", false }, { "IN", false },
};

static void print_table(const json_t *agents)
{
	static const char *const texts[] = { "agent", "name", "policy", "mode" };
	static const char *const numbers[] = { "tasks", "denied", "asked", "lost" };
	CLEAN(table_reset)
	struct table table = { .columns = columns,
			       .column_count = sizeof(columns) / sizeof(columns[0]) };
	const json_t *agent;
	size_t i;

	json_array_foreach(agents, i, agent) {
		for (size_t k = 0; k < 4; k++)
			table_put_text(&table, daemon_text(agent, texts[k]));
		for (size_t k = 0; k < 4; k++)
			table_put_number(&table, daemon_number(agent, numbers[k]));
		table_put_since(&table, daemon_number(agent, "since"));
		table_put_text(&table, daemon_text(agent, "parent"));
	}
	table_print(&table, 0, stdout);
}

int cmd_ps(int argc, char **argv)
{
	struct daemon_args args = { .command = "ps", .help = help, .takes_json = true };
	json_t *result = NULL;
	int code;

	if (daemon_args_parse(&args, argc, argv, &code))
		return code;
	code = daemon_ask("ps", "agent.list", json_object(), &result);
	if (code)
		return code;
	if (args.json)
		return json_out_print("ps", result);
	print_table(json_object_get(result, "agents"));
	json_decref(result);
	return CLI_OK;
}
