/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket approve`: let what waits happen, once or for longer. What holds for always is shown first.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_call.h"
#include "cli/duration.h"
#include "cli/requests.h"

static const char help[] =
	"usage: picket approve [--once | --for TIME | --agent | --always [--yes]] [--reason TEXT] ID [AGENT]\n"
	"\n"
	"Let happen what the request ID, or the only one that begins so, is about: that very act, by\n"
	"that agent. `picket requests` lists what waits.\n"
	"\n"
	"      --once         for those that wait now (unless another is given)\n"
	"      --for TIME     as often as it is tried for so long: 90s, 10m, 2h, 1d\n"
	"      --agent        as often as it is tried until the agent ends\n"
	"      --always       and by later agents of the policy: what is written is shown first\n"
	"  -y, --yes          --always: do not ask whether that is right\n"
	"      --reason TEXT  why, for the records\n"
	"\n"
	"Operators may, but nobody for agents that he started or that run as him.\n"
	"Exit status: 0; 1 when it cannot be approved or picketd cannot be asked.\n";

/* The command line. */
struct approval {
	struct requests_wanted wanted;
	const char *mode;
	long seconds; /* mode "for" */
	const char *reason; /* or NULL */
	bool yes;
};

static int set_mode(struct approval *approval, const char *mode)
{
	if (approval->mode && strcmp(approval->mode, mode) != 0)
		return cli_usage("approve", "give one of --once, --for, --agent and --always");
	approval->mode = mode;
	return CLI_OK;
}

static int set_time(struct approval *approval, const char *text)
{
	if (duration_parse(text, &approval->seconds))
		return cli_usage("approve",
				 "--for '%s' is no time: a number and a unit, as 90s, 10m, 2h, 1d",
				 text);
	return set_mode(approval, "for");
}

static int take_option(struct approval *approval, int option, const char *value)
{
	switch (option) {
	case 'o':
		return set_mode(approval, "once");
	case 'f':
		return set_time(approval, value);
	case 'a':
		return set_mode(approval, "agent");
	case 'A':
		return set_mode(approval, "always");
	case 'y':
		approval->yes = true;
		return CLI_OK;
	case 'r':
		approval->reason = value;
		return CLI_OK;
	default:
		return cli_usage("approve", NULL);
	}
}

static int take_operand(struct approval *approval, int argc, char **argv)
{
	if (argc - optind < 1)
		return cli_usage("approve", "no request given: `picket requests` lists them");
	if (argc - optind > 2)
		return cli_usage("approve", "'%s' is one word too many: one request at a time",
				 argv[optind + 2]);
	approval->wanted.id = argv[optind];
	approval->wanted.agent = argv[optind + 1];
	if (!approval->mode)
		approval->mode = "once";
	if (approval->yes && strcmp(approval->mode, "always") != 0)
		return cli_usage("approve", "--yes is for --always");
	return CLI_OK;
}

/* Returns 0, or -1 with *@ret_exit set. */
static int parse(struct approval *approval, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },	    { "once", no_argument, NULL, 'o' },
		{ "for", required_argument, NULL, 'f' },    { "agent", no_argument, NULL, 'a' },
		{ "always", no_argument, NULL, 'A' },	    { "yes", no_argument, NULL, 'y' },
		{ "reason", required_argument, NULL, 'r' }, { NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "hy", options, NULL)) >= 0) {
		*ret_exit = option == 'h' ? cli_help(help) : take_option(approval, option, optarg);
		if (option == 'h' || *ret_exit)
			return -1;
	}
	*ret_exit = take_operand(approval, argc, argv);
	return *ret_exit ? -1 : 0;
}

static json_t *params_of(const struct approval *approval, const json_t *request, bool preview)
{
	json_t *params = json_pack("{s:s, s:s, s:s, s:s*}", "id", daemon_text(request, "id"),
				   "agent", daemon_text(request, "agent"), "mode", approval->mode,
				   "reason", approval->reason);

	if (params && approval->seconds &&
	    json_object_set_new(params, "seconds", json_integer(approval->seconds))) {
		json_decref(params);
		return NULL;
	}
	if (params && preview && json_object_set_new(params, "preview", json_true())) {
		json_decref(params);
		return NULL;
	}
	return params;
}

/* CLI_OK: the answer was yes. */
static int ask_whether(void)
{
	char answer[16];

	(void)fputs("Approve it, always? [y/N] ", stdout);
	(void)fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin) ||
	    (strcmp(answer, "y\n") != 0 && strcmp(answer, "yes\n") != 0))
		return cli_error("approve", "nothing was approved");
	return CLI_OK;
}

/* Show what --always would write. Returns CLI_OK when that is wanted. */
static int preview(const struct approval *approval, struct control *control, const json_t *request)
{
	json_t *result = NULL;
	const char *diff;
	int code = daemon_call("approve", control, "request.approve",
			       params_of(approval, request, true), &result);

	if (code)
		return code;
	diff = daemon_text(result, "diff");
	(void)printf("%s\n", *diff ? daemon_text(result, "file") : "The rule is there already.");
	requests_print_lines(diff, "", stdout);
	json_decref(result);
	if (approval->yes)
		return CLI_OK;
	if (isatty(STDIN_FILENO) != 1)
		return cli_error("approve",
				 "nothing was approved: there is no terminal to ask on, give --yes "
				 "when that is right");
	return ask_whether();
}

static void print_done(const struct approval *approval, const json_t *request, const json_t *result)
{
	static const char *const words[][2] = {
		{ "once", "for those that wait now" },
		{ "for", "for a time" },
		{ "agent", "until the agent ends" },
		{ "always", "always" },
	};
	const char *mode = approval->mode;
	char time[32];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], approval->mode) == 0)
			mode = words[i][1];
	requests_print_act(request, stdout);
	if (strcmp(daemon_text(result, "state"), "waiting") == 0) {
		(void)printf(": approved by you; %lld more must\n",
			     (long long)daemon_number(result, "missing"));
		return;
	}
	if (approval->seconds)
		(void)printf(": approved for %s\n",
			     duration_text(approval->seconds, time, sizeof(time)));
	else
		(void)printf(": approved %s\n", mode);
}

static int approve(const struct approval *approval)
{
	CLEAN(control_close) struct control control = CONTROL_NONE;
	const bool always = strcmp(approval->mode, "always") == 0;
	json_t *request = NULL;
	json_t *result = NULL;
	int code = daemon_connect("approve", &control);

	if (code == CLI_OK)
		code = requests_find(&approval->wanted, &control, &request);
	if (code)
		return code;
	if (always)
		code = preview(approval, &control, request);
	if (code == CLI_OK)
		code = daemon_call("approve", &control, "request.approve",
				   params_of(approval, request, false), &result);
	if (code == CLI_OK)
		print_done(approval, request, result);
	json_decref(result);
	json_decref(request);
	return code;
}

int cmd_approve(int argc, char **argv)
{
	struct approval approval = { .wanted.command = "approve" };
	int code;

	if (parse(&approval, argc, argv, &code))
		return code;
	return approve(&approval);
}
