/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket top`: the agents that are denied most come first, with rates between two looks.
 */
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_call.h"
#include "cli/screen.h"
#include "cli/table.h"

static const char help[] =
	"usage: picket top [--json] [-n COUNT] [-d SECONDS]\n"
	"\n"
	"Show the agents, those with the most decisions a second first, again and again. On a\n"
	"terminal it is a live view, which q ends; elsewhere a table for each look.\n"
	"\n"
	"      --json          a line of JSON for each look\n"
	"  -n, --count COUNT   end after so many looks\n"
	"  -d, --delay SECONDS time between them (2 unless given; 0.1 to 3600)\n"
	"\n"
	"Counted are denials, what was asked about, and what was granted; what rules simply allow is not.\n"
	"LATENCY is the mean time that a hook took to decide since the last look, of all that was judged,\n"
	"allowed or not; '-' when nothing was. It is measured only while top runs.\n"
	"Exit status: 0; 1 when picketd cannot be asked.\n";

static const struct table_column columns[] = {
	{ "AGENT", false },  { "NAME", false },	 { "POLICY", false },  { "TASKS", true },
	{ "DEC/S", true },   { "DENIED", true }, { "DENIED/S", true }, { "ASKED", true },
	{ "GRANTED", true }, { "LOST", true },	 { "LATENCY", true },
};

/* Numbers whose rates are shown. */
static const char *const rated[] = { "decisions", "denied", "asked", "granted", "lost" };

/* The command line, and what the last look saw. */
struct top {
	bool json;
	long count; /* 0 = no end */
	double delay; /* seconds */
	json_t *before; /* the agents then; owned; NULL = none */
	struct timespec then;
	struct screen screen;
};

static int set_count(struct top *top, const char *text)
{
	char *end;

	errno = 0;
	top->count = strtol(text, &end, 10);
	if (errno || *end || end == text || top->count < 1)
		return cli_usage("top", "-n '%s' is no number of looks from 1 on", text);
	return CLI_OK;
}

static int set_delay(struct top *top, const char *text)
{
	char *end;

	top->delay = strtod(text, &end);
	/* Written so that what is not a number is refused too. */
	if (*end || end == text || !(top->delay >= 0.1 && top->delay <= 3600))
		return cli_usage("top", "-d '%s' is no number of seconds from 0.1 to 3600", text);
	return CLI_OK;
}

static int take_option(struct top *top, int option, const char *value)
{
	switch (option) {
	case 'j':
		top->json = true;
		return CLI_OK;
	case 'n':
		return set_count(top, value);
	case 'd':
		return set_delay(top, value);
	default:
		return cli_usage("top", NULL);
	}
}

/* Returns 0, or -1 with *@ret_exit set. */
static int parse(struct top *top, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "count", required_argument, NULL, 'n' },
		{ "delay", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "hn:d:", options, NULL)) >= 0) {
		*ret_exit = option == 'h' ? cli_help(help) : take_option(top, option, optarg);
		if (option == 'h' || *ret_exit)
			return -1;
	}
	if (optind < argc) {
		*ret_exit = cli_usage("top", "'%s' is one word too many", argv[optind]);
		return -1;
	}
	return 0;
}

static const json_t *agent_before(const struct top *top, const json_t *agent)
{
	const char *id = daemon_text(agent, "agent");
	const json_t *item;
	size_t i;

	json_array_foreach(top->before, i, item)
		if (strcmp(daemon_text(item, "agent"), id) == 0)
			return item;
	return NULL;
}

static double seconds_since(const struct timespec *then, const struct timespec *now)
{
	return (double)(now->tv_sec - then->tv_sec) +
	       (double)(now->tv_nsec - then->tv_nsec) / 1000000000.0;
}

/* Add `decisions` to each agent: what the kernel counts of them. */
static void add_decisions(json_t *agents)
{
	json_t *agent;
	size_t i;

	json_array_foreach(agents, i, agent) {
		json_int_t sum = daemon_number(agent, "denied") + daemon_number(agent, "asked") +
				 daemon_number(agent, "granted");

		(void)json_object_set_new(agent, "decisions", json_integer(sum));
	}
}

/*
 * Add `latency_us` to an agent whose decisions were timed since the last look: their mean. What was timed before,
 * while somebody else looked, is another's.
 */
static void add_latency(json_t *agent, const json_t *before)
{
	json_int_t timed = daemon_number(agent, "timed") - daemon_number(before, "timed");
	json_int_t spent = daemon_number(agent, "timed_ns") - daemon_number(before, "timed_ns");

	if (timed > 0 && spent >= 0)
		(void)json_object_set_new(agent, "latency_us",
					  json_real((double)spent / (double)timed / 1000.0));
}

/* Add `rates` to each agent: its numbers' rise a second; 0 for one that was not there before. */
static void add_rates(const struct top *top, json_t *agents, const struct timespec *now)
{
	double seconds = seconds_since(&top->then, now);
	json_t *agent;
	size_t i;

	json_array_foreach(agents, i, agent) {
		const json_t *before = agent_before(top, agent);
		json_t *rates = json_object();

		for (size_t k = 0; k < sizeof(rated) / sizeof(rated[0]); k++) {
			json_int_t rise = before ? daemon_number(agent, rated[k]) -
							   daemon_number(before, rated[k]) :
						   0;
			double rate = rise > 0 && seconds > 0 ? (double)rise / seconds : 0;

			(void)json_object_set_new(rates, rated[k], json_real(rate));
		}
		(void)json_object_set_new(agent, "rates", rates);
		if (before)
			add_latency(agent, before);
	}
}

static double rate_of(const json_t *agent, const char *key)
{
	return json_real_value(json_object_get(json_object_get(agent, "rates"), key));
}

/* The busiest first, then who has more decisions in all, then by id. */
static int compare(const void *a, const void *b)
{
	const json_t *one = *(const json_t *const *)a;
	const json_t *other = *(const json_t *const *)b;
	double faster = rate_of(one, "decisions") - rate_of(other, "decisions");
	json_int_t more = daemon_number(one, "decisions") - daemon_number(other, "decisions");

	if (faster < 0 || faster > 0)
		return faster > 0 ? -1 : 1;
	if (more)
		return more > 0 ? -1 : 1;
	return strcmp(daemon_text(one, "agent"), daemon_text(other, "agent"));
}

/* The same agents in order; NULL: out of memory. */
static json_t *sorted(const json_t *agents)
{
	size_t count = json_array_size(agents);
	CLEAN_FREE json_t **items = calloc(count + 1, sizeof(json_t *));
	json_t *result = json_array();

	for (size_t i = 0; items && i < count; i++)
		items[i] = json_array_get(agents, i);
	if (items)
		qsort(items, count, sizeof(json_t *), compare);
	for (size_t i = 0; items && i < count; i++)
		(void)json_array_append(result, items[i]);
	return result;
}

static void put_rate(struct table *table, double rate)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.1f", rate);
	table_put_safe(table, text);
}

static void put_latency(struct table *table, const json_t *agent)
{
	const json_t *latency = json_object_get(agent, "latency_us");
	char text[32] = "-";

	if (latency)
		(void)snprintf(text, sizeof(text), "%.1fus", json_real_value(latency));
	table_put_safe(table, text);
}

static void put_agent(struct table *table, const json_t *agent)
{
	table_put_text(table, daemon_text(agent, "agent"));
	table_put_text(table, daemon_text(agent, "name"));
	table_put_text(table, daemon_text(agent, "policy"));
	table_put_number(table, daemon_number(agent, "tasks"));
	put_rate(table, rate_of(agent, "decisions"));
	table_put_number(table, daemon_number(agent, "denied"));
	put_rate(table, rate_of(agent, "denied"));
	table_put_number(table, daemon_number(agent, "asked"));
	table_put_number(table, daemon_number(agent, "granted"));
	table_put_number(table, daemon_number(agent, "lost"));
	put_latency(table, agent);
}

static void print_head(const struct top *top, const json_t *agents)
{
	time_t now = time(NULL);
	char text[32] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		(void)strftime(text, sizeof(text), "%H:%M:%S", &tm);
	(void)printf("%s  %zu agent%s%s\n", text, json_array_size(agents),
		     json_array_size(agents) == 1 ? "" : "s", top->screen.full ? "  (q: end)" : "");
}

static void print_look(const struct top *top, const json_t *agents)
{
	CLEAN(table_reset)
	struct table table = { .columns = columns,
			       .column_count = sizeof(columns) / sizeof(columns[0]) };
	/* Line 1 says when, line 2 is the heading, and the last one stays free. */
	size_t room = top->screen.full && top->screen.rows > 3 ? top->screen.rows - 3 : SIZE_MAX;
	const json_t *agent;
	size_t i;

	json_array_foreach(agents, i, agent) {
		if (i == room)
			break;
		put_agent(&table, agent);
	}
	screen_clear(&top->screen);
	print_head(top, agents);
	table_print(&table, top->screen.columns, stdout);
}

static int print_line(const json_t *agents, const struct timespec *now)
{
	json_t *line = json_pack("{s:s, s:f, s:O}", "schema", "picket.top/1", "at",
				 (double)now->tv_sec + (double)now->tv_nsec / 1000000000.0,
				 "agents", agents);
	CLEAN_FREE char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	json_decref(line);
	if (!text)
		return cli_error("top", "out of memory");
	(void)puts(text);
	return CLI_OK;
}

/* Ask, and show. */
static int look(struct top *top, struct control *control)
{
	struct timespec wall = { 0 };
	struct timespec now = { 0 };
	json_t *result = NULL;
	json_t *agents;
	int code =
		daemon_call("top", control, "agent.list", json_pack("{s:b}", "time", 1), &result);

	if (code)
		return code;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	add_decisions(json_object_get(result, "agents"));
	add_rates(top, json_object_get(result, "agents"), &now);
	agents = sorted(json_object_get(result, "agents"));
	json_decref(result);
	if (top->json)
		code = print_line(agents, &wall);
	else
		print_look(top, agents);
	json_decref(top->before);
	top->before = agents;
	top->then = now;
	return code;
}

/* Until the next look is due. Returns false when there is to be none. */
static bool wait_for_next(struct top *top)
{
	const struct timespec then = top->then;
	enum screen_event event = SCREEN_DRAW;

	while (event == SCREEN_DRAW) {
		struct timespec now = { 0 };
		double left;

		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		left = top->delay - seconds_since(&then, &now);
		event = screen_wait(&top->screen, left > 0 ? (int)(left * 1000) : 0);
		if (event == SCREEN_DRAW && top->screen.full) {
			print_look(top, top->before);
			(void)fflush(stdout);
		}
	}
	return event == SCREEN_TICK;
}

static int follow(struct top *top, struct control *control)
{
	int code = CLI_OK;

	for (long done = 1; code == CLI_OK; done++) {
		code = look(top, control);
		if (code || fflush(stdout) || ferror(stdout) || done == top->count)
			break;
		if (!wait_for_next(top))
			break;
	}
	return code;
}

int cmd_top(int argc, char **argv)
{
	CLEAN(control_close) struct control control = CONTROL_NONE;
	struct top top = { .delay = 2 };
	int code;
	int r;

	if (parse(&top, argc, argv, &code))
		return code;
	code = daemon_connect("top", &control);
	if (code)
		return code;
	r = screen_open(&top.screen);
	if (r) {
		errno = -r;
		return cli_error("top", "cannot take signals over: %m");
	}
	code = follow(&top, &control);
	screen_close(&top.screen);
	json_decref(top.before);
	return code;
}
