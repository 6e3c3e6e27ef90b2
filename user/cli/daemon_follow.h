/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that show what comes until somebody ends them.
 */
#ifndef PICKET_CLI_DAEMON_FOLLOW_H
#define PICKET_CLI_DAEMON_FOLLOW_H

#include "control/client.h"

/**
 * Hand on notifications, with what was printed flushed after each round, until picketd ends or nobody
 * reads what we write. Returns the exit code after printing why.
 */
int daemon_follow(const char *command, struct control *control);

#endif
