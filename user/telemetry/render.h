/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event as one line for people:
 *   12:03:04 DENIED open /home/u/.ssh/id_rsa for read  cat[4121] < bash[4100]  rule deny@12 "no keys"
 *   12:03:04 DENIED signal SIGKILL to pid 1 (systemd)  sh[4121]  rule process.signals (profile: strict)@9
 * No file or program name can break the line or steer the terminal (base/escape.h). Secrets are not shown
 * (telemetry/redact.h; event_context.redact).
 */
#ifndef PICKET_TELEMETRY_RENDER_H
#define PICKET_TELEMETRY_RENDER_H

#include "telemetry/event.h"

/** Store the line, newline included, as a malloc'ed string. Returns 0 or -ENOMEM. */
int render_event(const struct event *event, const struct event_context *context, char **ret_line);

/**
 * Store what the act was on, as shown in the line ("/a -> /b", "10.0.0.1:443/udp", "inet6 raw"), as
 * a malloc'ed string. Returns 0 or -ENOMEM.
 */
int render_object(const struct event *event, const struct event_context *context, char **ret_text);

/**
 * Store the words for who decided ("rule deny@12 \"no keys\"", "default deny of files", a reason's
 * sentence), as a malloc'ed string. Returns 0 or -ENOMEM.
 */
int render_decider(const struct event *event, const struct event_context *context, char **ret_text);

#endif
