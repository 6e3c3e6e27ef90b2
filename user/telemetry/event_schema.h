/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The schema of records (json.h) as a JSON Schema, draft 2020-12: for each kind its keys in their order,
 * which must be there, their types and words. The words are those of names.h.
 */
#ifndef PICKET_TELEMETRY_EVENT_SCHEMA_H
#define PICKET_TELEMETRY_EVENT_SCHEMA_H

#include <jansson.h>

/** The schema; the caller's reference, or NULL when out of memory. */
json_t *event_schema(void);

#endif
