/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a command did not start, in the words of a shell.
 */
#ifndef PICKET_CLI_RUN_FAILURE_H
#define PICKET_CLI_RUN_FAILURE_H

#include "base/diag.h"
#include "cli/run_options.h"
#include "engine/spawn.h"

/**
 * Add an error about @failure of the run asked for by @options; @filtered: it has a filter of system
 * calls. Returns the exit code.
 */
int run_failure_explain(const struct run_options *options, bool filtered,
			const struct spawn_failure *failure, struct diag_list *diags);

#endif
