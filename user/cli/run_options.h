/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of `picket run`.
 */
#ifndef PICKET_CLI_RUN_OPTIONS_H
#define PICKET_CLI_RUN_OPTIONS_H

#include <stdbool.h>

#include <picket/abi.h>

#include "policy/policy_args.h"
#include "engine/features.h"

/** Who carries the run. */
enum run_by {
	RUN_BY_CHOICE, /* picketd where it can, else ourselves */
	RUN_BY_DAEMON, /* --daemon */
	RUN_BY_OURSELVES, /* --embedded */
};

/** What was asked for. Zero-initialise; run_options_reset() frees. */
struct run_options {
	struct policy_args policy_args;
	const char *user_name; /* --user, or NULL */
	const char *events; /* --events, or NULL */
	bool learn; /* --learn: no policy is given, one is made */
	const char *learned; /* -o: the file that it goes to, or NULL */
	bool lossy; /* --lossy: also when events were lost */
	bool quiet;
	bool keep_fds;
	bool names;
	enum pk_tier tier; /* limit */
	bool tier_given;
	enum run_by by;
	char *const *argv; /* the command; borrowed */
};

/** Read the command line. Returns 0, or -1 with *@ret_exit set after printing. */
int run_options_parse(struct run_options *options, int argc, char **argv, int *ret_exit);

/**
 * True when -p names a policy of picketd and no file: it has neither a slash nor a dot.
 */
bool run_options_is_name(const struct run_options *options);

/** Free what it owns and make it empty. */
void run_options_reset(struct run_options *options);

#endif
