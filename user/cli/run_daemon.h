/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run that picketd carries: the command is our child, with our terminal, environment, working
 * folder and limits; the agent that it belongs to is picketd's. The command goes on, confined, when
 * picketd dies, and the run ends properly when picketd is back.
 */
#ifndef PICKET_CLI_RUN_DAEMON_H
#define PICKET_CLI_RUN_DAEMON_H

#include <stdbool.h>

#include "cli/run_options.h"

/** Variable of the command's environment: the file with what is refused to it (daemon/feed.h). */
#define RUN_DAEMON_FEED "PICKET_DENIALS"

/**
 * Run what @options say. Returns true with the exit code stored; false when there is no picketd and
 * @must is false: nothing was done.
 */
bool run_daemon(const struct run_options *options, bool must, int *ret_exit);

#endif
