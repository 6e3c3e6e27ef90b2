/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event as it may be shown to people: without what redaction hides (telemetry/redact.h). The JSON form
 * hides by itself; whatever else makes words of an event's paths makes them of this.
 */
#ifndef PICKET_TELEMETRY_SHOWN_H
#define PICKET_TELEMETRY_SHOWN_H

#include "telemetry/event.h"
#include "telemetry/redact.h"

/** The event, and the bytes that its paths point into. event_shown_reset() frees. */
struct event_shown {
	struct event event;
	struct redacted path;
	struct redacted path2;
	bool hidden; /* something is not shown */
};

/** What is hidden where @context says nothing of it. */
const struct redact_settings *event_hidden(const struct event_context *context);

/** Store @event without what @settings hide; it must outlive @ret. Returns 0 (caller resets) or -ENOMEM. */
int event_show(const struct event *event, const struct redact_settings *settings,
	       struct event_shown *ret);

/** Free and make empty. */
void event_shown_reset(struct event_shown *shown);

#endif
