/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who asks: what the event says of the process, and what /proc says as long as it is that one. A
 * process that waits stands still, so it can be read well.
 */
#ifndef PICKET_DAEMON_ASK_PROCESS_H
#define PICKET_DAEMON_ASK_PROCESS_H

#include <jansson.h>

#include "telemetry/event.h"

/** Most generations up, words of a command line, and bytes of them. */
#define ASK_CHAIN_MAX 16
#define ASK_ARGV_MAX 32
#define ASK_ARGV_BYTES 2048
/** Most bytes of a path. */
#define ASK_PATH_MAX 512

/**
 * The process of @event: an object as user/control/README.md says, without `held`. Parents are told as
 * long as they are in the cgroup @cgroup or below, the tree being mounted at @root. NULL: no memory.
 */
json_t *ask_process(const struct event *event, const char *root, __u64 cgroup);

/** A pidfd of the process of @event (caller closes), or -ESRCH when it has ended. */
int ask_process_open(const struct pk_event *head);

/** True while process @tgid that started at @start_ns (CLOCK_BOOTTIME) lives. */
bool ask_process_lives(__u32 tgid, __u64 start_ns);

#endif
