/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket status`: how picketd is.
 */
#include "cli/cli.h"
#include "cli/daemon_args.h"
#include "cli/daemon_call.h"
#include "cli/json_lines.h"
#include "cli/json_out.h"
#include "cli/table.h"

#include <time.h>

#include "base/escape.h"
#include "base/mem.h"

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

/* Seconds since 1970 become local time. */
static void show_time(json_t *object, const char *key)
{
	time_t when = (time_t)json_integer_value(json_object_get(object, key));
	char text[32];
	struct tm tm;

	if (when > 0 && localtime_r(&when, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		(void)json_object_set_new(object, key, json_string(text));
}

static void put_decimal(struct table *table, double number)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "%.1f", number);
	table_put_safe(table, text);
}

static void print_programs(const json_t *programs)
{
	static const struct table_column columns[] = {
		{ "PROGRAM", false },
		{ "RUNS", true },
		{ "MS", true },
		{ "NS/RUN", true },
	};
	CLEAN(table_reset) struct table table = { .columns = columns, .column_count = 4 };
	const json_t *one;
	size_t i;

	json_array_foreach(programs, i, one) {
		json_int_t runs = daemon_number(one, "runs");
		json_int_t ns = daemon_number(one, "ns");

		table_put_text(&table, daemon_text(one, "name"));
		table_put_number(&table, runs);
		put_decimal(&table, (double)ns / 1000000);
		table_put_number(&table, runs ? ns / runs : 0);
	}
	(void)fputs("\n", stdout);
	table_print(&table, 0, stdout);
}

/* Only what can be too full has a percentage. */
static void print_maps(const json_t *maps)
{
	static const struct table_column columns[] = {
		{ "MAP", false }, { "KIND", false }, { "ENTRIES", true },
		{ "ROOM", true }, { "FULL", true },
	};
	CLEAN(table_reset) struct table table = { .columns = columns, .column_count = 5 };
	const json_t *one;
	char full[32];
	size_t i;

	json_array_foreach(maps, i, one) {
		table_put_text(&table, daemon_text(one, "name"));
		table_put_text(&table, daemon_text(one, "kind"));
		table_put_number(&table, daemon_number(one, "entries"));
		table_put_number(&table, daemon_number(one, "room"));
		(void)snprintf(full, sizeof(full), "%lld%%",
			       (long long)daemon_number(one, "percent"));
		table_put_safe(&table, json_object_get(one, "percent") ? full : "");
	}
	(void)fputs("\n", stdout);
	table_print(&table, 0, stdout);
}

static json_int_t lost_of(const json_t *sink)
{
	const json_t *lost = json_object_get(sink, "lost");

	return daemon_number(lost, "decision") + daemon_number(lost, "activity") +
	       daemon_number(lost, "life") + daemon_number(lost, "record");
}

static void print_sinks(const json_t *sinks)
{
	static const struct table_column columns[] = {
		{ "SINK", false },   { "TYPE", false }, { "STATE", false },  { "QUEUED", true },
		{ "SPOOLED", true }, { "SENT", true },	{ "RETRIES", true }, { "LOST", true },
	};
	CLEAN(table_reset) struct table table = { .columns = columns, .column_count = 8 };
	const json_t *one;
	size_t i;

	json_array_foreach(sinks, i, one) {
		table_put_text(&table, daemon_text(one, "name"));
		table_put_text(&table, daemon_text(one, "type"));
		table_put_text(&table, daemon_text(one, "state"));
		table_put_number(&table, daemon_number(one, "queued"));
		table_put_number(&table, daemon_number(one, "spooled"));
		table_put_number(&table, daemon_number(one, "sent"));
		table_put_number(&table, daemon_number(one, "retries"));
		table_put_number(&table, lost_of(one));
	}
	(void)fputs("\n", stdout);
	table_print(&table, 0, stdout);
}

/* What --detail adds: tables, and what is to be done to have numbers in them. */
static void print_kernel(const json_t *programs, const json_t *maps, const json_t *hint)
{
	if (programs)
		print_programs(programs);
	print_text(hint, "Hint: ");
	if (maps)
		print_maps(maps);
}

/* The sentence and the problems first, tables last; what is left is shown as it comes. */
static void print(json_t *status)
{
	static const char *const apart[] = { "health", "problems", "programs",	  "maps",
					     "hint",   "sinks",	   "runs_counted" };
	const json_t *problems = json_object_get(status, "problems");
	json_t *all = json_copy(status);

	print_text(json_object_get(status, "health"), "");
	for (size_t i = 0; i < json_array_size(problems); i++)
		print_text(json_array_get(problems, i), "  - ");
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
		(void)json_object_del(status, apart[i]);
	show_time(status, "since");
	show_time(json_object_get(status, "proof"), "at");
	show_time(json_object_get(status, "reload"), "at");
	json_lines_print(status, "", stdout);
	if (json_array_size(json_object_get(all, "sinks")))
		print_sinks(json_object_get(all, "sinks"));
	print_kernel(json_object_get(all, "programs"), json_object_get(all, "maps"),
		     json_object_get(all, "hint"));
	json_decref(all);
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
