/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the commands that talk to picketd share: connecting, calling, and the words when that fails.
 */
#ifndef PICKET_CLI_DAEMON_CALL_H
#define PICKET_CLI_DAEMON_CALL_H

#include <jansson.h>

#include "policy/policy_args.h"
#include "control/client.h"

/** How long an answer may take: compiling a large policy under load is the longest. */
#define DAEMON_ANSWER_MS 60000

/** Print that picketd does not run, and what to do. Returns CLI_FAILED. */
int daemon_is_missing(const char *command);

/** Connect, or print why not. Returns CLI_OK (caller closes) or the exit code. */
int daemon_connect(const char *command, struct control *ret_control);

/** Print what @answer, a failure, says. Returns the exit code. */
int daemon_refused(const char *command, const struct control_answer *answer);

/**
 * Call @method with @params (taken over; NULL: out of memory). Returns CLI_OK with the result (caller
 * json_decref()s), or the exit code after printing what went wrong.
 */
int daemon_call(const char *command, struct control *control, const char *method, json_t *params,
		json_t **ret_result);

/** The same on a connection that is opened and closed for it. */
int daemon_ask(const char *command, const char *method, json_t *params, json_t **ret_result);

/** Member @key of @object as text, "" when there is none. */
const char *daemon_text(const json_t *object, const char *key);

/** Member @key of @object as a number, 0 when there is none. */
json_int_t daemon_number(const json_t *object, const char *key);

/** The --set of @args as an object {NAME: VALUE}; NULL: out of memory. */
json_t *daemon_variables(const struct policy_args *args);

#endif
