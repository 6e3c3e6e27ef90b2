/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket tail`: events as they come, and those that came before. Which are shown and how is decided here;
 * where they come from is cli/tail_stream.h's.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_call.h"
#include "cli/denial.h"
#include "cli/fit.h"
#include "cli/tail_stream.h"
#include "format/format.h"
#include "store/store.h"
#include "telemetry/moment.h"

static const char help[] =
	"usage: picket tail [OPTIONS] [AGENT]\n"
	"\n"
	"Show what AGENT, or every agent, is denied, as it happens, until interrupted; and records\n"
	"of what was lost. Options of different names must all hold; of one that is given several\n"
	"times, any.\n"
	"\n" FILTER_HELP "      --all             every kind, not only decisions and losses\n"
	"      --store PATH      where --since finds what was (" STORE_PATH ")\n"
	"      --follow          go on when picketd ends, as soon as it is back\n"
	"      --explain         below a denial its rule, and what would allow it\n"
	"      --wide            date, agent, user, program, all ancestors and the tool call, too\n"
	"      --json            a line of JSON for each event\n"
	"\n"
	"On a terminal a line is shortened to its width, with --wide not.\n"
	"\n"
	"Exit status: 1 when picketd or the store cannot be asked, or picketd ends.\n";

/* Agents whose names were asked for; more are matched by their id only. */
#define NAMED_MAX 4096

enum { OPTION_ALL = 1, OPTION_STORE, OPTION_FOLLOW, OPTION_EXPLAIN, OPTION_WIDE, OPTION_JSON };

/* The command line, and what is known of agents. */
struct tail {
	struct tail_stream stream;
	struct event_filter filter;
	struct event_filter losses; /* also shown: losses, of the same agents */
	const char *store;
	const char **names; /* owned, the texts not; of the command line: what --agent said */
	size_t name_count;
	char *ids[NAMED_MAX]; /* owned; agents that are called so */
	size_t id_count;
	bool all;
	bool explain;
	bool wide;
	bool json;
	bool colour;
};

/* --- What is shown -------------------------------------------------------------------------------- */

/* The terminal's columns; 0 = there is no limit. */
static size_t line_width(const struct tail *tail)
{
	struct winsize size = { 0 };

	if (tail->wide || !isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

static bool is_denial(const json_t *event)
{
	return strcmp(daemon_text(event, "kind"), "decision") == 0 &&
	       strcmp(daemon_text(event, "verdict"), "allow") != 0;
}

/* Of what the store had, what would allow it is only told where the event says so. */
static void explain(json_t *event, const json_t *suggest)
{
	if (suggest)
		(void)json_object_set(event, "suggest", (json_t *)suggest);
	if (json_object_get(event, "suggest"))
		denial_explain(event, stdout);
	else
		denial_explain_rule(event, stdout);
}

static void print_line(const struct tail *tail, const json_t *event)
{
	CLEAN_FREE char *line = NULL;

	if (format_line(event, (tail->colour ? FORMAT_COLOUR : 0) | (tail->wide ? FORMAT_WIDE : 0),
			&line))
		return;
	fit_line(line, line_width(tail), stdout);
	(void)fputc('\n', stdout);
}

static void print_json(json_t *event, const json_t *suggest)
{
	CLEAN_FREE char *line = NULL;

	if (suggest)
		(void)json_object_set(event, "suggest", (json_t *)suggest);
	line = json_dumps(event, JSON_COMPACT);
	if (line)
		(void)puts(line);
}

/* An agent that is called as was asked for has an id from now on. */
static void learn_agent(struct tail *tail, const char *name, const char *id)
{
	for (size_t i = 0; i < tail->name_count; i++) {
		if (strcmp(tail->names[i], name) != 0 || !*id || tail->id_count == NAMED_MAX)
			continue;
		tail->ids[tail->id_count] = strdup(id);
		if (tail->ids[tail->id_count] &&
		    filter_add_word(&tail->filter, FILTER_AGENT, tail->ids[tail->id_count]) == 0 &&
		    filter_add_word(&tail->losses, FILTER_AGENT, tail->ids[tail->id_count]) == 0)
			tail->id_count++;
		return;
	}
}

static bool is_wanted(const struct tail *tail, const json_t *event)
{
	return filter_matches(&tail->filter, event) ||
	       (tail->losses.words[FILTER_KIND].count && filter_matches(&tail->losses, event));
}

static void take_event(void *context, json_t *event, const json_t *suggest)
{
	struct tail *tail = context;

	if (strcmp(daemon_text(event, "kind"), "agent") == 0)
		learn_agent(tail, daemon_text(event, "name"), daemon_text(event, "agent"));
	if (!is_wanted(tail, event))
		return;
	if (tail->json) {
		print_json(event, suggest);
		return;
	}
	print_line(tail, event);
	if (tail->explain && is_denial(event))
		explain(event, suggest);
}

/* That policies were replaced is told to people; an event it is not. */
static void take_other(void *context, const char *method, const json_t *params)
{
	const struct tail *tail = context;

	if (!tail->json && strcmp(method, "reloaded") == 0)
		(void)printf("agent %s: the policy was replaced: %.16s -> %.16s\n%s",
			     daemon_text(params, "agent"), daemon_text(params, "old"),
			     daemon_text(params, "new"), daemon_text(params, "diff"));
}

/* --- The command line ----------------------------------------------------------------------------- */

static int take_filter(struct tail *tail, int option)
{
	CLEAN_FREE char *why = NULL;

	if (filter_parse_option(&tail->filter, option, optarg, &why) == 0)
		return CLI_OK;
	return why ? cli_usage("tail", "%s", why) : cli_error("tail", "out of memory");
}

static int take_option(struct tail *tail, int option)
{
	if (filter_has_option(option))
		return take_filter(tail, option);
	if (option == OPTION_STORE)
		tail->store = optarg;
	tail->all |= option == OPTION_ALL;
	tail->stream.follow |= option == OPTION_FOLLOW;
	tail->explain |= option == OPTION_EXPLAIN;
	tail->wide |= option == OPTION_WIDE;
	tail->json |= option == OPTION_JSON;
	if (option == 'h')
		return cli_help(help);
	return option == '?' ? cli_usage("tail", NULL) : CLI_OK;
}

static int check(struct tail *tail, int argc, char **argv)
{
	if (argc - optind > 1)
		return cli_usage("tail", "'%s' is one word too many", argv[optind + 1]);
	if (tail->all && tail->filter.words[FILTER_KIND].count)
		return cli_usage("tail", "--all and --kind exclude each other");
	if (tail->json && tail->wide)
		return cli_usage("tail", "--json and --wide exclude each other");
	if (tail->store && !tail->filter.since_ns)
		return cli_usage("tail", "--store is for --since");
	tail->stream.agent = argv[optind];
	return CLI_OK;
}

/* Returns 0, or -1 with *@ret_exit set. */
static int parse(struct tail *tail, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "all", no_argument, NULL, OPTION_ALL },
		{ "store", required_argument, NULL, OPTION_STORE },
		{ "follow", no_argument, NULL, OPTION_FOLLOW },
		{ "explain", no_argument, NULL, OPTION_EXPLAIN },
		{ "wide", no_argument, NULL, OPTION_WIDE },
		{ "json", no_argument, NULL, OPTION_JSON },
		FILTER_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		*ret_exit = take_option(tail, option);
		if (*ret_exit || option == 'h')
			return -1;
	}
	*ret_exit = check(tail, argc, argv);
	return *ret_exit ? -1 : 0;
}

/* --- What is asked for ---------------------------------------------------------------------------- */

/* The class that records of @kind travel in. */
static const char *class_of(const char *kind)
{
	static const char *const own[] = { "decision", "activity", "life" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strcmp(kind, own[i]) == 0)
			return own[i];
	}
	return "record";
}

/* Losses and agents' names are always of use. */
static json_t *choose_classes(const struct tail *tail)
{
	static const char *const all[] = { "decision", "activity", "life" };
	const struct filter_words *kinds = &tail->filter.words[FILTER_KIND];
	json_t *classes = json_pack("[s]", "record");

	for (size_t i = 0; tail->all && i < sizeof(all) / sizeof(all[0]); i++)
		(void)json_array_append_new(classes, json_string(all[i]));
	for (size_t i = 0; i < kinds->count; i++)
		(void)json_array_append_new(classes, json_string(class_of(kinds->items[i])));
	return classes;
}

/* Names of agents that there are already; who may not list agents gives ids. */
static void learn_agents(struct tail *tail)
{
	CLEAN(control_close) struct control control = CONTROL_NONE;
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(control_answer_reset) struct control_answer answer = { 0 };
	const json_t *agent;
	size_t i;

	if (!tail->name_count || control_connect(NULL, &control, &diags) ||
	    control_call(&control, "agent.list", NULL, NULL, 0, DAEMON_ANSWER_MS, &answer, &diags))
		return;
	json_array_foreach(json_object_get(answer.result, "agents"), i, agent)
		learn_agent(tail, daemon_text(agent, "name"), daemon_text(agent, "agent"));
}

/* What --agent said, which the filter's list grows behind. */
static int keep_names(struct tail *tail)
{
	const struct filter_words *words = &tail->filter.words[FILTER_AGENT];
	const char **names = calloc(words->count + 1, sizeof(*names));
	int r = names ? 0 : -ENOMEM;

	tail->names = names;
	for (size_t i = 0; r == 0 && i < words->count; i++) {
		names[i] = words->items[i];
		r = filter_add_word(&tail->losses, FILTER_AGENT, names[i]);
	}
	tail->name_count = words->count;
	return r;
}

/* Where neither --kind nor --all is given: what was decided, and what was lost of it. */
static int choose_kinds(struct tail *tail)
{
	int r;

	if (tail->all || tail->filter.words[FILTER_KIND].count)
		return 0;
	r = filter_add_word(&tail->filter, FILTER_KIND, "decision");
	return r ? r : filter_add_word(&tail->losses, FILTER_KIND, "loss");
}

static int show(struct tail *tail)
{
	if (keep_names(tail) || choose_kinds(tail))
		return cli_error("tail", "out of memory");
	learn_agents(tail);
	tail->colour = cli_use_colour(STDOUT_FILENO);
	if (tail->filter.since_ns)
		tail->stream.store = tail->store ? tail->store : STORE_PATH;
	tail->stream.filter = &tail->filter;
	tail->stream.suggest = tail->explain;
	tail->stream.classes = choose_classes(tail);
	tail->stream.event = take_event;
	tail->stream.other = take_other;
	tail->stream.context = tail;
	return tail_stream_run(&tail->stream);
}

static void tail_free(struct tail **tail)
{
	if (!*tail)
		return;
	tail_stream_reset(&(*tail)->stream);
	json_decref((*tail)->stream.classes);
	filter_reset(&(*tail)->filter);
	filter_reset(&(*tail)->losses);
	for (size_t i = 0; i < (*tail)->id_count; i++)
		free((*tail)->ids[i]);
	free((void *)(*tail)->names);
	free(*tail);
	*tail = NULL;
}

int cmd_tail(int argc, char **argv)
{
	CLEAN(tail_free) struct tail *tail = calloc(1, sizeof(*tail));
	int code;

	if (!tail)
		return cli_error("tail", "out of memory");
	tail->stream.control = (struct control)CONTROL_NONE;
	return parse(tail, argc, argv, &code) ? code : show(tail);
}
