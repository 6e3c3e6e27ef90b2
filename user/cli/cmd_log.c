/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket log`: what the local store has, by the filters that `picket tail` has too.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "format/format.h"
#include "store/store.h"
#include "telemetry/moment.h"

/* More are for a query without a limit, which keeps nothing in memory. */
#define LIMIT_MAX 100000

static const char help[] =
	"usage: picket log [OPTIONS]\n"
	"\n"
	"Show the events that the local store has, oldest first. Options of different names must all\n"
	"hold; of one that is given several times, any.\n"
	"\n"
	"      --store PATH      the store (" STORE_PATH ")\n" FILTER_HELP
	"      --limit N         only the newest N, 1 to 100000\n"
	"      --reverse         newest first\n"
	"      --json            a line of JSON for each event\n"
	"      --wide            date, agent, user, program, all ancestors and the tool call, too\n"
	"\n"
	"Exit status: 0, also when there is none; 1 when the store cannot be read.\n";

/* The command line, and what is printed by it. */
struct log_command {
	const char *path;
	struct event_filter filter;
	size_t limit;
	bool reverse, json, wide;
	unsigned int flags; /* of format_line() */
};

static void command_reset(struct log_command *command)
{
	filter_reset(&command->filter);
}

static int take_limit(struct log_command *command, const char *word)
{
	bool plain = *word && strspn(word, "0123456789") == strlen(word) && strlen(word) <= 6;

	command->limit = plain ? strtoul(word, NULL, 10) : 0;
	if (command->limit >= 1 && command->limit <= LIMIT_MAX)
		return CLI_OK;
	return cli_usage("log", "--limit '%s' is no number from 1 to %d", word, LIMIT_MAX);
}

static int take_filter(struct log_command *command, int option)
{
	CLEAN_FREE char *why = NULL;

	if (filter_parse_option(&command->filter, option, optarg, &why) == 0)
		return CLI_OK;
	return why ? cli_usage("log", "%s", why) : cli_error("log", "out of memory");
}

static int take(struct log_command *command, int option)
{
	if (filter_has_option(option))
		return take_filter(command, option);
	switch (option) {
	case 's':
		command->path = optarg;
		return CLI_OK;
	case 'l':
		return take_limit(command, optarg);
	case 'r':
		command->reverse = true;
		return CLI_OK;
	case 'j':
		command->json = true;
		return CLI_OK;
	case 'w':
		command->wide = true;
		return CLI_OK;
	default:
		return cli_usage("log", NULL);
	}
}

/* Returns CLI_OK, or -1 with *@ret_exit set. */
static int parse(struct log_command *command, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		FILTER_OPTIONS,
		{ "store", required_argument, NULL, 's' },
		{ "limit", required_argument, NULL, 'l' },
		{ "reverse", no_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "wide", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*ret_exit = CLI_OK;
	while (*ret_exit == CLI_OK && (option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (option == 'h') {
			*ret_exit = cli_help(help);
			return -1;
		}
		*ret_exit = take(command, option);
	}
	if (*ret_exit == CLI_OK && optind < argc)
		*ret_exit = cli_usage("log", "'%s' is one word too many", argv[optind]);
	if (*ret_exit == CLI_OK && command->json && command->wide)
		*ret_exit = cli_usage("log", "--json and --wide exclude each other");
	return *ret_exit == CLI_OK ? CLI_OK : -1;
}

static int print_event(void *context, const json_t *event, const char *stored)
{
	const struct log_command *command = context;
	CLEAN_FREE char *line = NULL;

	(void)stored;
	/* Written anew: a store may have come from somebody else. */
	if (command->json)
		line = json_dumps(event, JSON_COMPACT);
	else
		(void)format_line(event, command->flags, &line);
	(void)puts(line ? line : "(a record that cannot be shown)");
	return ferror(stdout) ? 1 : 0;
}

/* Somebody who asks for a time that is gone should know. */
static void tell_pruned(struct store *store, const struct event_filter *filter)
{
	struct store_facts facts;
	char when[MOMENT_TEXT_SIZE];

	if (!filter->since_ns || store_look(store, &facts) || !facts.pruned_until_ns ||
	    facts.pruned_until_ns < filter->since_ns)
		return;
	(void)fprintf(
		stderr,
		"picket log: the store is bounded: %llu activity and %llu other records up to "
		"%s were pruned\n",
		(unsigned long long)facts.pruned_bulk, (unsigned long long)facts.pruned_records,
		moment_text(facts.pruned_until_ns, when));
}

static int print_all(struct log_command *command, struct store *store)
{
	const struct store_query query = {
		.filter = &command->filter,
		.limit = command->limit,
		.newest_first = command->reverse,
	};
	int r;

	if (command->wide)
		command->flags |= FORMAT_WIDE;
	if (cli_use_colour(STDOUT_FILENO))
		command->flags |= FORMAT_COLOUR;
	tell_pruned(store, &command->filter);
	r = store_query(store, &query, print_event, command);
	if (r < 0)
		return cli_error("log", "cannot read the store '%s': %s", command->path,
				 store_error(store));
	return CLI_OK;
}

int cmd_log(int argc, char **argv)
{
	CLEAN(command_reset) struct log_command command = { .path = STORE_PATH };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(store_close) struct store *store = NULL;
	int code;

	if (parse(&command, argc, argv, &code))
		return code;
	if (store_open(command.path, STORE_READ, &store, &diags)) {
		cli_print_diags(&diags);
		return CLI_FAILED;
	}
	return print_all(&command, store);
}
