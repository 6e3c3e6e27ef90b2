/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words for what can be wrong with --set and --user.
 */
#include "cli/policy_options.h"

#include <errno.h>
#include <sys/stat.h>

#include "cli/cli.h"

int policy_options_set(const char *command, struct policy_args *args, const char *value)
{
	int r = policy_args_set(args, value);

	if (r == -EINVAL)
		return cli_usage(command, "--set '%s' is not NAME=VALUE", value);
	errno = -r;
	return r < 0 ? cli_error(command, "cannot take --set '%s': %m", value) : CLI_OK;
}

int policy_options_user(const char *command, struct policy_args *args, const char *value)
{
	int r = policy_args_identity(args, value);

	if (r == -ENOENT)
		return cli_error(command, "there is no user '%s'", value);
	errno = -r;
	return r < 0 ? cli_error(command, "cannot look up the user '%s': %m", value) : CLI_OK;
}

int policy_options_managed(const char *command, struct policy_args *args, const char *value)
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
