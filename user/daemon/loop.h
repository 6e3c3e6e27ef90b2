/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread's wait for many descriptors. One event is handed out at a time, because what it makes
 * happen may end whatever else was ready; the kernel goes round among those that are.
 */
#ifndef PICKET_DAEMON_LOOP_H
#define PICKET_DAEMON_LOOP_H

#include <linux/types.h>

/** Something that is waited for. Its owner keeps it where it is while it is in the loop. */
struct loop_source {
	int fd; /* -1 = none; owned */
	void (*ready)(void *context, __u32 events);
	void *context;
};

/** An empty value. */
#define LOOP_SOURCE_NONE                                                                           \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/** Wait for @events (EPOLL*) of @source in the epoll descriptor @epoll. Returns 0 or -errno. */
int loop_add(int epoll, struct loop_source *source, __u32 events);

/** Wait no more, and close the descriptor. Accepts an empty one; makes it empty. */
void loop_drop(int epoll, struct loop_source *source);

/** Make @source (ready and context set) a timer, not yet running. Returns 0 or -errno. */
int loop_add_timer(int epoll, struct loop_source *source);

/** Let a timer fire in @first_ms, then every @every_ms (0: once). @first_ms 0 stops it. */
void loop_set_timer(const struct loop_source *source, unsigned int first_ms, unsigned int every_ms);

/** To be called by ready() of a timer: takes the expiry. */
void loop_take_timer(const struct loop_source *source);

/** Wait @timeout_ms (-1: as long as it takes) and hand out one event. Returns 0 or -errno. */
int loop_wait(int epoll, int timeout_ms);

#endif
