/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit codes are those of shells; the words name the file or the step.
 */
#include "cli/run_failure.h"

#include <errno.h>
#include <string.h>

static const char *exec_hint(bool filtered, int error)
{
	if (error == EACCES)
		return "the file is not executable, or the policy denies running it";
	if (error == EPERM && filtered)
		return "the policy's section 'syscalls' may refuse execve, which every start needs";
	return "check the file";
}

/* What failed between the fork and the command, which is none of the command's doing. */
static int prepare_failed(const struct spawn_failure *failure, struct diag_list *diags)
{
	static const char *const what[] = {
		[SPAWN_STAGE_FDS] = "close descriptors for the command",
		[SPAWN_STAGE_FILTER] = "filter the system calls of the command",
		[SPAWN_STAGE_JOIN] = "confine the command",
	};

	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cannot %s: %s", what[failure->stage],
			   strerror(failure->error)),
		  "nothing was started; run 'picket doctor'");
	return SPAWN_EXIT_CANNOT;
}

int run_failure_explain(const struct run_options *options, bool filtered,
			const struct spawn_failure *failure, struct diag_list *diags)
{
	if (failure->stage >= SPAWN_STAGE_FDS && failure->stage <= SPAWN_STAGE_JOIN)
		return prepare_failed(failure, diags);
	if (failure->stage == SPAWN_STAGE_USER) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cannot become user '%s': %s",
				   options->user_name, strerror(failure->error)),
			  "run picket as root");
		return SPAWN_EXIT_CANNOT;
	}
	if (failure->error == ENOENT) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "command '%s' not found",
				   options->argv[0]),
			  "check the name and PATH, or an interpreter that it names");
		return SPAWN_EXIT_NOT_FOUND;
	}
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cannot run '%s': %s", options->argv[0],
			   strerror(failure->error)),
		  "%s", exec_hint(filtered, failure->error));
	return SPAWN_EXIT_CANNOT;
}
