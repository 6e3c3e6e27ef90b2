/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of every form that there is, as parsed lines of JSON: every operation with every reason, all
 * verdicts, audit mode, activity, lives of processes, and what picketd says of itself.
 */
#ifndef PICKET_TESTS_UNIT_EVENT_FORMS_H
#define PICKET_TESTS_UNIT_EVENT_FORMS_H

#include <jansson.h>

#include "events.h"

/** A list of all of them; the caller drops the reference. */
json_t *event_forms(void);

/** One decision or activity, number @i of all operations and reasons; false behind the last. */
bool event_forms_raw(size_t i, struct raw_event *raw);

/** The line of @raw, parsed. */
json_t *event_forms_parse(const struct raw_event *raw, const struct event_context *context);

#endif
