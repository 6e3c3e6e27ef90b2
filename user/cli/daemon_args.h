/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of the small commands about agents: [--json] [--detail] [--watch] and at most one agent.
 */
#ifndef PICKET_CLI_DAEMON_ARGS_H
#define PICKET_CLI_DAEMON_ARGS_H

#include <stdbool.h>

/** What such a command takes, and what it was given. */
struct daemon_args {
	const char *command; /* its name, for complaints */
	const char *help;
	bool takes_json;
	bool takes_agent;
	bool needs_agent;
	bool takes_watch;
	bool takes_detail;
	bool json; /* --json was given */
	bool watch; /* --watch was given */
	bool detail; /* --detail was given */
	const char *agent; /* borrowed; NULL = none */
};

/** Read the command line. Returns 0, or -1 with *@ret_exit set after printing. */
int daemon_args_parse(struct daemon_args *args, int argc, char **argv, int *ret_exit);

#endif
