/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sinks of the daemon: where records go besides subscribers. Nothing here waits.
 */
#ifndef PICKET_DAEMON_SINKS_H
#define PICKET_DAEMON_SINKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "sink/sink.h"
#include "telemetry/event.h"

struct daemon;
struct sinks;

/** Make daemon->sinks and start what is configured. Returns 0, or -errno with an error in @diags. */
int sinks_open(struct daemon *daemon, struct diag_list *diags);

/** True when any sink takes records of @class; @sinks may be NULL. */
bool sinks_want(const struct sinks *sinks, enum sink_class class);

/** Hand a line of JSON (no newline; it is copied) to all that take @class. @sinks may be NULL. */
void sinks_add(struct sinks *sinks, enum sink_class class, const char *line, size_t length);

/**
 * True when the activity @event repeats what was handed out within a second: it is counted, and becomes part
 * of one record for all repeats (sink/fold.h). Else its record is to be given to sinks_add_activity().
 */
bool sinks_fold(struct sinks *sinks, const struct event *event);

/** sinks_add() of an activity whose repeats are to be folded. */
void sinks_add_activity(struct sinks *sinks, const struct event *event, const char *line,
			size_t length);

/** Go by daemon->telemetry.settings as it is now: changed sinks are replaced, others go on. */
void sinks_reload(struct sinks *sinks);

/**
 * For the status: array of {name, type, state, offered, queued, queued_bytes, spooled, sent, retries,
 * restarts, root, pid, delivered and lost: {decision, activity, life, record}, error?}; NULL without
 * memory. @sinks may be NULL.
 */
json_t *sinks_status(const struct sinks *sinks);

/** End what was started, and free; accepts NULL, resets. */
void sinks_close(struct sinks **sinks);

#endif
