/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long decisions take is measured only while some client wants to know: `picket top`.
 */
#ifndef PICKET_DAEMON_TIMES_H
#define PICKET_DAEMON_TIMES_H

struct client;
struct daemon;

/** Measure from now on, until @client is gone; again: nothing. */
void times_begin(struct daemon *daemon, struct client *client);

/** A client is gone: no more, when it was the last one. */
void times_forget_client(struct daemon *daemon, struct client *client);

/** Measure nothing, whatever a picketd before us left on. */
void times_reset(struct daemon *daemon);

#endif
