/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options about a policy that several commands have, with their complaints.
 */
#ifndef PICKET_CLI_POLICY_OPTIONS_H
#define PICKET_CLI_POLICY_OPTIONS_H

#include "policy/policy_args.h"

/** Take the value of --set. Returns CLI_OK, or the exit code after printing what is wrong. */
int policy_options_set(const char *command, struct policy_args *args, const char *value);

/** Take the value of --user. Returns CLI_OK, or the exit code after printing what is wrong. */
int policy_options_user(const char *command, struct policy_args *args, const char *value);

/** Take the value of --managed. Returns CLI_OK, or the exit code after printing what is wrong. */
int policy_options_managed(const char *command, struct policy_args *args, const char *value);

#endif
