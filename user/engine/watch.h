/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop of a run: records are taken out of the ring buffers as they come, signals are passed on,
 * and it ends with the program.
 */
#ifndef PICKET_ENGINE_WATCH_H
#define PICKET_ENGINE_WATCH_H

#include "engine/seccomp.h"
#include "engine/signals.h"
#include "engine/spawn.h"

struct ring_buffer;

/**
 * Pass waiting signals on to @child and reap what has ended, without waiting. Returns 1 when @child
 * has ended, its status of wait(2) being stored, else 0.
 */
int watch_signals(const struct signals *signals, const struct spawn *child, int *ret_wait_status);

/**
 * Attend to @child until it ends, and to its refused system calls if @calls has a listener. Stores
 * its status of wait(2). Records that come later (of what it started) stay in @rings. Returns 0 or
 * -errno.
 */
int watch_child(struct ring_buffer *rings, const struct signals *signals,
		const struct seccomp_watch *calls, const struct spawn *child, int *ret_wait_status);

#endif
