/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of reload.h only.
 */
#ifndef PICKET_DAEMON_RELOAD_PARTS_H
#define PICKET_DAEMON_RELOAD_PARTS_H

#include <time.h>

struct daemon;

/** Milliseconds since @then, of CLOCK_MONOTONIC. */
long reload_ms_since(const struct timespec *then);

/** Open what tells of changes; reload_watch() says of what. Returns 0 or -errno. */
int reload_open_watch(struct daemon *daemon);

#endif
