/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An answer as the event that sinks and subscribers get: what telemetry/json.h says of kind "answer", of what
 * the audit trail has, and without the secrets that are in the exact act.
 */
#ifndef PICKET_DAEMON_ANSWER_EVENT_H
#define PICKET_DAEMON_ANSWER_EVENT_H

#include <jansson.h>
#include <stdbool.h>

/**
 * The event of the answer that is @what in the trail ("approved", "lapsed", ...) with these @details, about
 * @agent (NULL: it is gone). NULL: it is none yet (a vote), or *@ret_failed: there is no memory.
 */
json_t *answer_event(const char *agent, const char *what, const json_t *details, bool *ret_failed);

#endif
