/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket report`: an incident report from the local store, as one HTML file.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "report/report.h"
#include "telemetry/moment.h"

static const char help[] =
	"usage: picket report [OPTIONS] --agent AGENT\n"
	"\n"
	"Write what AGENT did, what was refused to it and by which rule, as one HTML file that needs\n"
	"nothing else: processes as a tree, a time line, denials by rule, destinations, files.\n"
	"\n"
	"      --agent AGENT      its id, or a name: all agents that had it\n"
	"      --since TIME       not before TIME: 2h (ago), 14:00, 'yesterday 14:00',\n"
	"                         2026-11-22, 2026-11-22T14:00:00Z\n"
	"      --until TIME       before TIME\n"
	"      --store PATH       the store (" STORE_PATH ")\n"
	"  -o, --output FILE      write to FILE, which must not exist, and not to standard output\n"
	"\n"
	"Exit status: 1 when the store has nothing of AGENT, or it failed.\n";

/* The command line. */
struct report_command {
	struct report_question question;
	const char *store;
	const char *output; /* NULL: standard output */
};

static int take_time(const char *name, const char *word, __s64 *ret_ns)
{
	if (moment_parse(word, moment_now(), ret_ns) == 0)
		return CLI_OK;
	return cli_usage("report", "--%s '%s' is no time: %s", name, word, MOMENT_FORMS);
}

static int take(struct report_command *command, int option)
{
	switch (option) {
	case 'a':
		command->question.agent = optarg;
		return CLI_OK;
	case 's':
		return take_time("since", optarg, &command->question.since_ns);
	case 'u':
		return take_time("until", optarg, &command->question.until_ns);
	case 'd':
		command->store = optarg;
		return CLI_OK;
	case 'o':
		command->output = optarg;
		return CLI_OK;
	default:
		return cli_usage("report", NULL);
	}
}

static int check(const struct report_command *command, int argc, char **argv)
{
	const struct report_question *question = &command->question;

	if (optind < argc)
		return cli_usage("report", "'%s' is one word too many", argv[optind]);
	if (!question->agent || !*question->agent)
		return cli_usage("report", "no agent given: write 'picket report --agent AGENT'");
	if (question->since_ns && question->until_ns && question->since_ns >= question->until_ns)
		return cli_usage("report", "the period is empty: --until is not behind --since");
	return CLI_OK;
}

/* Returns CLI_OK, or -1 with *@ret_exit set. */
static int parse(struct report_command *command, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		{ "agent", required_argument, NULL, 'a' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "store", required_argument, NULL, 'd' },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*ret_exit = CLI_OK;
	while (*ret_exit == CLI_OK &&
	       (option = getopt_long(argc, argv, "ho:", options, NULL)) >= 0) {
		if (option == 'h') {
			*ret_exit = cli_help(help);
			return -1;
		}
		*ret_exit = take(command, option);
	}
	if (*ret_exit == CLI_OK)
		*ret_exit = check(command, argc, argv);
	return *ret_exit == CLI_OK ? CLI_OK : -1;
}

static int write_report(const struct report_command *command, struct store *store, FILE *to)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r = report_write(store, &command->question, to, &diags);

	cli_print_diags(&diags);
	return r ? CLI_FAILED : CLI_OK;
}

/* What an agent did is not for everybody to read: only the owner may. */
static int write_file(const struct report_command *command, struct store *store)
{
	int fd = open(command->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
	bool lost;
	int code;

	if (!to) {
		code = cli_error("report", "cannot make '%s': %m", command->output);
		mem_close_fd(&fd);
		return code;
	}
	code = write_report(command, store, to);
	lost = ferror(to) != 0;
	if (fclose(to) != 0)
		lost = true;
	if (code == CLI_OK && lost)
		code = cli_error("report", "cannot write '%s': %m", command->output);
	/* Half a report would be read as a whole one. */
	if (code != CLI_OK)
		(void)unlink(command->output);
	return code;
}

int cmd_report(int argc, char **argv)
{
	struct report_command command = { .store = STORE_PATH };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(store_close) struct store *store = NULL;
	int code;

	if (parse(&command, argc, argv, &code))
		return code;
	if (store_open(command.store, STORE_READ, &store, &diags)) {
		cli_print_diags(&diags);
		return CLI_FAILED;
	}
	return command.output ? write_file(&command, store) : write_report(&command, store, stdout);
}
