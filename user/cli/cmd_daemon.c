/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket daemon`: the options, and the log. The daemon itself is daemon/daemon.h.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "daemon/daemon.h"
#include "telemetry/names.h"

static const char help[] =
	"usage: picket daemon [options]\n"
	"\n"
	"Look after all agents of this host, in the foreground. SIGTERM ends it, and agents stay\n"
	"confined; SIGHUP makes it read the policies again. The log goes to stderr.\n"
	"\n"
	"      --config DIR       folder of policies/ and managed.d/ (default /etc/picket)\n"
	"      --run-dir DIR      folder of the socket and the state (default /run/picket)\n"
	"      --lib-dir DIR      folder of the audit trail (default /var/lib/picket)\n"
	"      --socket PATH      the socket (default: control.sock in the run folder)\n"
	"      --tier TIER        use at most this tier: lsm, modify-return or network\n"
	"      --remove           take the engine out of the kernel; there must be no agents\n"
	"\n"
	"Exit status: 0 when asked to end; 1: something failed; 2: usage; 3: this kernel cannot.\n";

struct command {
	struct daemon_options options;
	bool remove;
};

enum option_id {
	OPTION_CONFIG = 256,
	OPTION_RUN_DIR,
	OPTION_LIB_DIR,
	OPTION_SOCKET,
	OPTION_TIER,
	OPTION_REMOVE
};

static int parse_tier(const char *name, enum pk_tier *ret_tier)
{
	for (__u32 tier = 0; tier < PK_TIER__MAX; tier++) {
		if (strcmp(name, names_tier(tier)) == 0) {
			*ret_tier = (enum pk_tier)tier;
			return CLI_OK;
		}
	}
	return cli_usage("daemon", "--tier '%s' is none of lsm, modify-return, network", name);
}

static int take_path(const char *option, const char **target)
{
	if (optarg[0] != '/')
		return cli_usage("daemon", "%s '%s' is not an absolute path", option, optarg);
	*target = optarg;
	return CLI_OK;
}

/* Returns CLI_OK, or the exit code after printing. */
static int take_option(struct command *command, int option)
{
	switch (option) {
	case OPTION_CONFIG:
		return take_path("--config", &command->options.config);
	case OPTION_RUN_DIR:
		return take_path("--run-dir", &command->options.run_dir);
	case OPTION_LIB_DIR:
		return take_path("--lib-dir", &command->options.lib_dir);
	case OPTION_SOCKET:
		return take_path("--socket", &command->options.socket);
	case OPTION_TIER:
		return parse_tier(optarg, &command->options.tier);
	case OPTION_REMOVE:
		command->remove = true;
		return CLI_OK;
	default:
		return cli_usage("daemon", NULL);
	}
}

/* Returns 0, or -1 with *@ret_exit set. */
static int parse(struct command *command, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, OPTION_CONFIG },
		{ "run-dir", required_argument, NULL, OPTION_RUN_DIR },
		{ "lib-dir", required_argument, NULL, OPTION_LIB_DIR },
		{ "socket", required_argument, NULL, OPTION_SOCKET },
		{ "tier", required_argument, NULL, OPTION_TIER },
		{ "remove", no_argument, NULL, OPTION_REMOVE },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*ret_exit = CLI_OK;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		*ret_exit = option == 'h' ? cli_help(help) : take_option(command, option);
		if (option == 'h' || *ret_exit)
			return -1;
	}
	if (optind < argc)
		*ret_exit = cli_usage("daemon", "'%s' is one word too many", argv[optind]);
	return *ret_exit ? -1 : 0;
}

static void say(const char *text)
{
	(void)fprintf(stderr, "picketd: %s\n", text);
}

static int exit_code(int r, struct diag_list *diags)
{
	if (r && !diag_has_errors(diags))
		(void)diag_add(diags, DIAG_ERROR, NULL, "%s", strerror(-r));
	cli_print_diags(diags);
	if (r == 0)
		return CLI_OK;
	return r == -ENOTSUP ? CLI_KERNEL : CLI_FAILED;
}

static int serve(const struct daemon_options *options, struct diag_list *diags)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	int r;

	if (!daemon)
		return -ENOMEM;
	*daemon = (struct daemon)DAEMON_NONE;
	r = daemon_open(daemon, options, diags);
	/* Warnings, before it goes on for long. */
	if (r == 0) {
		cli_print_diags(diags);
		diag_list_reset(diags);
		r = daemon_run(daemon, diags);
	}
	daemon_close(daemon);
	free(daemon);
	return r;
}

int cmd_daemon(int argc, char **argv)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct command command = {
		.options = {
			.config = "/etc/picket",
			.run_dir = "/run/picket",
			.lib_dir = "/var/lib/picket",
			.tier = PK_TIER__MAX - 1,
			.say = say,
		},
	};
	int code;
	int r;

	if (parse(&command, argc, argv, &code))
		return code;
	if (geteuid() != 0)
		return cli_error("daemon", "only root can be picketd: systemctl start picket, or "
					   "sudo picket daemon");
	r = command.remove ? daemon_remove(&command.options, &diags) :
			     serve(&command.options, &diags);
	return exit_code(r, &diags);
}
