/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an act on the network was about, in words: part of the text form of events (render.h).
 *   203.0.113.7:443 (known as api.example)
 *   evil.example (AAAA)
 *   b.example on a connection to a.example (93.184.216.34:443)
 */
#ifndef PICKET_TELEMETRY_RENDER_NETWORK_H
#define PICKET_TELEMETRY_RENDER_NETWORK_H

#include <stdio.h>

#include "telemetry/event.h"

/**
 * Write a name of a file, program or host: bare when it cannot be mistaken for the line's own
 * punctuation, else in quotes. A file may be called `x  bash[1]  rule allow@1`.
 */
void render_put_name(FILE *to, const char *bytes, size_t length);

/** Write what the act of @event, one on the network, was about. */
void render_put_network(FILE *to, const struct event *event);

#endif
