/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of names that a run has learned addresses of: `picket run --names`.
 *
 *   picket: 2 addresses known by name
 *     api.example  203.0.113.7  for 58 s  rule allow@5 (api)
 *     api.example  2001:db8::7  for 58 s  rule allow@5 (api)
 */
#ifndef PICKET_ENGINE_LEARNED_NAMES_H
#define PICKET_ENGINE_LEARNED_NAMES_H

#include <stdio.h>

#include "engine/learned.h"
#include "telemetry/event.h"

/** Schema of a line of JSON: {schema, agent, host, address, expires_in, rule {number, ...}}. */
#define LEARNED_NAMES_SCHEMA "picket.name/1"

/** Write the table for people. @context as for events. Returns 0 or -ENOMEM. */
int learned_names_print(const struct learned_table *table, const struct event_context *context,
			FILE *to);

/** Store one line of JSON for @name, newline included, as a malloc'ed string. 0 or -ENOMEM. */
int learned_names_json(const struct learned_name *name, const struct event_context *context,
		       char **ret_line);

#endif
