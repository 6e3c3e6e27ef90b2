/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket ps`: the agents that picketd looks after, a line each.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"
#include "cli/json_out.h"

static const char help[] =
	"usage: picket ps [--json]\n"
	"\n"
	"List the agents of this host: their policies, and what they were denied.\n"
	"\n"
	"      --json   all that picketd tells, as one JSON document\n"
	"\n"
	"Exit status: 0; 1 when picketd cannot be asked.\n";

enum { COLUMNS = 9, CELL = 64 };

struct row {
	char cell[COLUMNS][CELL];
};

static const struct row head = { { "AGENT", "NAME", "POLICY", "MODE", "TASKS", "DENIED", "ASKED",
				   "LOST", "SINCE" } };

static void put_text(char cell[CELL], const char *text)
{
	CLEAN_FREE char *plain = escape_string(text, strlen(text), 0);

	(void)snprintf(cell, CELL, "%s", plain && *plain ? plain : "-");
}

static void put_number(char cell[CELL], json_int_t number)
{
	(void)snprintf(cell, CELL, "%lld", (long long)number);
}

static void put_time(char cell[CELL], json_int_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (seconds <= 0 || !localtime_r(&when, &tm) ||
	    strftime(cell, CELL, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		put_text(cell, "");
}

static struct row row_of(const json_t *agent)
{
	static const char *const numbers[] = { "tasks", "denied", "asked", "lost" };
	static const char *const texts[] = { "agent", "name", "policy", "mode" };
	struct row row = { 0 };

	for (size_t i = 0; i < 4; i++) {
		put_text(row.cell[i], daemon_text(agent, texts[i]));
		put_number(row.cell[4 + i], daemon_number(agent, numbers[i]));
	}
	put_time(row.cell[8], daemon_number(agent, "since"));
	return row;
}

static void widen(int widths[COLUMNS], const struct row *row)
{
	for (int i = 0; i < COLUMNS; i++) {
		int length = (int)strlen(row->cell[i]);

		widths[i] = widths[i] < length ? length : widths[i];
	}
}

/* Numbers (columns 4 to 7) stand to the right. */
static void print_row(const int widths[COLUMNS], const struct row *row)
{
	for (int i = 0; i < COLUMNS - 1; i++)
		(void)printf("%*s  ", i >= 4 ? widths[i] : -widths[i], row->cell[i]);
	(void)puts(row->cell[COLUMNS - 1]);
}

static void print_table(const json_t *agents)
{
	int widths[COLUMNS] = { 0 };
	const json_t *agent;
	struct row row;
	size_t i;

	widen(widths, &head);
	json_array_foreach(agents, i, agent) {
		row = row_of(agent);
		widen(widths, &row);
	}
	print_row(widths, &head);
	json_array_foreach(agents, i, agent) {
		row = row_of(agent);
		print_row(widths, &row);
	}
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
