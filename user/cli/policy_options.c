/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One table and one loop for all commands about policies.
 */
#include "cli/policy_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/cli.h"

/* Above any letter, and the commands' own numbers, which begin at 256. */
enum shared_id {
	SHARED_SET = 0x1000,
	SHARED_USER,
	SHARED_MANAGED,
	SHARED_NO_MANAGED,
	SHARED_JSON,
};

static const struct {
	unsigned int bit;
	struct option option;
} shared[] = {
	{ POLICY_OPTION_SET, { "set", required_argument, NULL, SHARED_SET } },
	{ POLICY_OPTION_USER, { "user", required_argument, NULL, SHARED_USER } },
	{ POLICY_OPTION_LAYERS, { "managed", required_argument, NULL, SHARED_MANAGED } },
	{ POLICY_OPTION_LAYERS, { "no-managed", no_argument, NULL, SHARED_NO_MANAGED } },
	{ POLICY_OPTION_JSON, { "json", no_argument, NULL, SHARED_JSON } },
};

#define SHARED_COUNT (sizeof(shared) / sizeof(*shared))
#define OPTIONS_MAX 32

int policy_options_set(const char *command, struct policy_args *args, const char *value)
{
	int r = policy_args_set(args, value);

	if (r == -EINVAL)
		return cli_usage(command,
				 "--set '%s' is not NAME=VALUE: a name of letters, digits and '_'",
				 value);
	errno = -r;
	return r < 0 ? cli_error(command, "cannot take --set '%s': %m", value) : CLI_OK;
}

static int take_user(const char *command, struct policy_args *args, const char *value)
{
	int r = policy_args_identity(args, value);

	if (r == -ENOENT)
		return cli_error(command, "there is no user '%s'", value);
	errno = -r;
	return r < 0 ? cli_error(command, "cannot look up the user '%s': %m", value) : CLI_OK;
}

static int take_managed(const char *command, struct policy_args *args, const char *value)
{
	struct stat status;

	/* A folder that is not there would be no layers: here somebody has named it. */
	if (stat(value, &status) < 0)
		return cli_error(command, "cannot use --managed '%s': %m", value);
	if (!S_ISDIR(status.st_mode))
		return cli_usage(command, "--managed '%s' is no folder", value);
	args->managed = value;
	args->managed_draft = true;
	return CLI_OK;
}

static int take_shared(const struct policy_options *options, struct policy_args *args, int option)
{
	switch (option) {
	case SHARED_SET:
		return policy_options_set(options->command, args, optarg);
	case SHARED_USER:
		return take_user(options->command, args, optarg);
	case SHARED_MANAGED:
		return take_managed(options->command, args, optarg);
	default:
		args->no_managed = true;
		return CLI_OK;
	}
}

static int take(const struct policy_options *options, int option)
{
	int code = CLI_OK;

	if (option == '?')
		return cli_usage(options->command, NULL);
	if (option < SHARED_SET)
		return options->take(options->context, option);
	if (option == SHARED_JSON) {
		*options->json = true;
		return CLI_OK;
	}
	for (size_t i = 0; i < options->count && code == CLI_OK; i++)
		code = take_shared(options, &options->args[i], option);
	return code;
}

/* The command's own options, the shared ones that it has, and --help. */
static void make_table(const struct policy_options *options, struct option table[OPTIONS_MAX])
{
	size_t count = 0;

	while (options->own && options->own[count].name && count < OPTIONS_MAX - SHARED_COUNT - 2) {
		table[count] = options->own[count];
		count++;
	}
	for (size_t i = 0; i < SHARED_COUNT; i++)
		if (options->shared & shared[i].bit)
			table[count++] = shared[i].option;
	table[count++] = (struct option){ "help", no_argument, NULL, 'h' };
	table[count] = (struct option){ NULL, 0, NULL, 0 };
}

bool policy_options_parse(const struct policy_options *options, int argc, char **argv,
			  int *ret_exit)
{
	struct option table[OPTIONS_MAX];
	char letters[OPTIONS_MAX] = "";
	int option;

	make_table(options, table);
	(void)snprintf(letters, sizeof(letters), "%sh", options->letters ? options->letters : "");
	while ((option = getopt_long(argc, argv, letters, table, NULL)) >= 0) {
		*ret_exit = option == 'h' ? cli_help(options->help) : take(options, option);
		if (option == 'h' || *ret_exit != CLI_OK)
			return false;
	}
	if (options->count && options->args->managed && options->args->no_managed) {
		*ret_exit = cli_usage(options->command,
				      "--managed and --no-managed exclude each other");
		return false;
	}
	return true;
}

int policy_options_compile(const char *command, struct policy_args *args,
			   struct cli_policy *ret_policy)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r = policy_args_compile(args, ret_policy, &diags);

	if (r == 0)
		return CLI_OK;
	cli_print_diags(&diags);
	errno = -r;
	return diag_has_errors(&diags) ? CLI_FAILED :
					 cli_error(command, "cannot use '%s': %m", args->path);
}
