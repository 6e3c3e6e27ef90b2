/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Activity that repeats itself. The first act is handed out at once; the same act of the same process
 * within FOLD_NS of it is counted, and all its repeats become one record with `folded`: {count, first,
 * last}. So one record without `folded` is one act, one with it `count` acts, and the sum is exact.
 *
 * Same: everything the kernel tells but time and thread: agent, process, operation, verdict, rule, object.
 */
#ifndef PICKET_SINK_FOLD_H
#define PICKET_SINK_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "telemetry/event.h"

/** How long an act is remembered after its first record. */
#define FOLD_NS 1000000000ULL
/** Acts that are remembered; one more takes the place of another, which is handed out before its time. */
#define FOLD_SLOTS 1024

/** The table. */
struct fold;

/**
 * Called with a record for repeats, an object that is open yet: its `seq` and the brace are to be added.
 * Borrowed; NULL: there was no memory for it.
 */
typedef void (*fold_emit)(void *context, const char *text);

/** Make an empty table that gives its records to @emit. NULL without memory. */
struct fold *fold_new(fold_emit emit, void *context);

/** True when @event repeats one that is remembered: it is counted, and needs no record of its own. */
bool fold_repeats(struct fold *fold, const struct event *event);

/**
 * Remember @event, which fold_repeats() did not know, by its record. Without memory it is not, and its
 * repeats are records of their own.
 */
void fold_remember(struct fold *fold, const struct event *event, const char *line, size_t length);

/** Hand out what is over at @now_ns (CLOCK_BOOTTIME) and forget it. False: nothing is remembered. */
bool fold_expire(struct fold *fold, __u64 now_ns);

/** Hand out all and free; accepts NULL; resets. */
void fold_free(struct fold **fold);

#endif
