/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of the commands about policies: the options that several of them have, with their help
 * and complaints, and the loop over a command's own ones.
 */
#ifndef PICKET_CLI_POLICY_OPTIONS_H
#define PICKET_CLI_POLICY_OPTIONS_H

#include <getopt.h>

#include "policy/policy_args.h"

/** Options that commands have in common; a command says which of them it takes. */
enum policy_option {
	POLICY_OPTION_SET = 1U << 0, /* --set NAME=VALUE */
	POLICY_OPTION_USER = 1U << 1, /* --user USER */
	POLICY_OPTION_LAYERS = 1U << 2, /* --managed FOLDER and --no-managed */
	POLICY_OPTION_JSON = 1U << 3, /* --json */
};

/** Their lines of a command's help. */
#define POLICY_HELP_SET "      --set NAME=VALUE   set a variable of the policy; may be repeated\n"
#define POLICY_HELP_USER "      --user USER        HOME and USER of this user (name or number)\n"
#define POLICY_HELP_LAYERS                                                                         \
	"      --managed FOLDER   the layers above are those of FOLDER, not of " MANAGED_FOLDER    \
	"\n"                                                                                       \
	"      --no-managed       no layers above\n"

/** What a command takes. */
struct policy_options {
	const char *command;
	const char *help;
	const char *letters; /* getopt's: of its own short options */
	const struct option *own; /* its own long ones; the last has no name */
	/** Take one of its own, with optarg. Returns CLI_OK, or the exit code after printing. */
	int (*take)(void *context, int option);
	void *context;
	unsigned int shared; /* bits of enum policy_option */
	struct policy_args *args; /* what the shared ones are about: @count policies */
	size_t count;
	bool *json; /* of POLICY_OPTION_JSON */
};

/**
 * Read the options of @argv, so that optind is at the first operand. Returns true; or false with the exit
 * code, after printing what is wrong, or the help that was asked for.
 */
bool policy_options_parse(const struct policy_options *options, int argc, char **argv,
			  int *ret_exit);

/** Take the value of --set. Returns CLI_OK, or the exit code after printing what is wrong. */
int policy_options_set(const char *command, struct policy_args *args, const char *value);

/**
 * Compile what @args say, and print what is wrong with it; warnings are for `check`. Returns CLI_OK, or the
 * exit code.
 */
int policy_options_compile(const char *command, struct policy_args *args,
			   struct cli_policy *ret_policy);

#endif
