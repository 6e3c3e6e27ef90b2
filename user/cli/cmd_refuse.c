/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket refuse` and `picket revoke`: an approver says no, before and after.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_call.h"
#include "cli/requests.h"

static const char refuse_help[] =
	"usage: picket refuse [--reason TEXT] ID [AGENT]\n"
	"\n"
	"Do not let happen what the request ID, or the only one that begins so, is about: those that\n"
	"wait get the error of a denial, and so do those that try it in the next 10 seconds.\n"
	"\n"
	"      --reason TEXT  why, for the records\n"
	"\n"
	"For operators. Exit status: 0; 1 when it cannot be refused or picketd cannot be asked.\n";

static const char revoke_help[] =
	"usage: picket revoke [--reason TEXT] GRANT\n"
	"\n"
	"Take an approval (or a refusal) back: from now on it is asked again. `picket grants` lists\n"
	"them. What was done by it is done, and connections that it opened stay open.\n"
	"\n"
	"      --reason TEXT  why, for the records\n"
	"\n"
	"For operators. Exit status: 0; 1 when it cannot be taken back or picketd cannot be asked.\n";

/* The command line of one of the two. */
struct answer {
	const char *command;
	const char *help;
	const char *missing; /* what is said when there is no operand */
	int words; /* at most */
	const char *reason; /* or NULL */
};

/* Returns 0, or -1 with *@ret_exit set; operands are at optind, NULL behind the last. */
static int parse(struct answer *answer, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "reason", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*ret_exit = CLI_OK;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (option != 'r') {
			*ret_exit = option == 'h' ? cli_help(answer->help) :
						    cli_usage(answer->command, NULL);
			return -1;
		}
		answer->reason = optarg;
	}
	if (argc - optind < 1)
		*ret_exit = cli_usage(answer->command, "%s", answer->missing);
	else if (argc - optind > answer->words)
		*ret_exit = cli_usage(answer->command, "'%s' is one word too many",
				      argv[optind + answer->words]);
	return *ret_exit ? -1 : 0;
}

int cmd_refuse(int argc, char **argv)
{
	struct answer answer = {
		.command = "refuse",
		.help = refuse_help,
		.missing = "no request given: `picket requests` lists them",
		.words = 2,
	};
	CLEAN(control_close) struct control control = CONTROL_NONE;
	struct requests_wanted wanted = { .command = "refuse" };
	json_t *request = NULL;
	json_t *result = NULL;
	int code;

	if (parse(&answer, argc, argv, &code))
		return code;
	wanted.id = argv[optind];
	wanted.agent = argv[optind + 1];
	code = daemon_connect("refuse", &control);
	if (code == CLI_OK)
		code = requests_find(&wanted, &control, &request);
	if (code == CLI_OK)
		code = daemon_call("refuse", &control, "request.refuse",
				   json_pack("{s:s, s:s, s:s*}", "id", daemon_text(request, "id"),
					     "agent", daemon_text(request, "agent"), "reason",
					     answer.reason),
				   &result);
	if (code == CLI_OK) {
		requests_print_act(request, stdout);
		(void)puts(": refused");
	}
	json_decref(result);
	json_decref(request);
	return code;
}

/* The number of a grant, or 0. */
static json_int_t number_of(const char *word)
{
	if (!*word || strlen(word) > 10 || strspn(word, "0123456789") != strlen(word))
		return 0;
	return strtoll(word, NULL, 10);
}

int cmd_revoke(int argc, char **argv)
{
	struct answer answer = {
		.command = "revoke",
		.help = revoke_help,
		.missing = "no grant given: `picket grants` lists them",
		.words = 1,
	};
	json_t *result = NULL;
	json_int_t number;
	int code;

	if (parse(&answer, argc, argv, &code))
		return code;
	number = number_of(argv[optind]);
	if (!number)
		return cli_usage("revoke",
				 "'%s' is no number of a grant: `picket grants` lists them",
				 argv[optind]);
	code = daemon_ask("revoke", "grant.revoke",
			  json_pack("{s:I, s:s*}", "grant", number, "reason", answer.reason),
			  &result);
	if (code)
		return code;
	requests_print_act(json_object_get(result, "grant"), stdout);
	(void)puts(": taken back");
	json_decref(result);
	return CLI_OK;
}
