/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waits for one sink, in memory and on disk, and the account of it. For each class, always:
 * sent + lost + queued + spooled = offered.
 *
 * Decisions and records are written to the spool before they are queued. While memory is full they wait
 * there alone and are read back in their order. Activity and life wait in memory only, and make room
 * for the others, the oldest first.
 */
#ifndef PICKET_SINK_QUEUE_H
#define PICKET_SINK_QUEUE_H

#include <stdbool.h>

#include "sink/spool.h"

/** A line that waits. */
struct sink_item {
	struct sink_item *next;
	struct sink_line *line;
	__u64 order; /* in which they came */
	__u64 number; /* in which they were taken; 0 = not yet */
	spool_place place; /* behind it in the spool; 0 = it is not there */
};

/** The oldest first. */
struct sink_list {
	struct sink_item *head;
	struct sink_item **tail; /* where the next one goes */
};

/** Numbers by class. */
struct sink_counts {
	__u64 offered[SINK__CLASSES];
	__u64 sent[SINK__CLASSES];
	__u64 lost[SINK__CLASSES];
	__u64 queued[SINK__CLASSES]; /* in memory, those on their way included */
	__u64 spooled[SINK__CLASSES]; /* on disk alone */
};

/** One sink's. sink_queue_open() initialises, sink_queue_close() frees; stays where it is. */
struct sink_queue {
	size_t limit; /* of bytes */
	size_t bytes;
	struct sink_list kept; /* decisions and records */
	struct sink_list shed; /* activity and life */
	struct sink_list taken; /* on their way */
	struct sink_counts counts;
	struct spool spool; /* folder -1: none */
	bool behind; /* there are lines on disk alone */
	__u64 order;
	__u64 number;
	/** Told of each line that is lost, before it is freed; may be NULL. */
	void (*lost)(void *context, const struct sink_line *line, bool on_disk);
	void *context;
};

/** Begin with @limit bytes of memory and what is in @spool, which it takes over (SPOOL_NONE: none). */
void sink_queue_open(struct sink_queue *queue, size_t limit, struct spool *spool,
		     const __u64 waiting[SINK__CLASSES]);

/** Offer a line. */
void sink_queue_add(struct sink_queue *queue, struct sink_line *line);

/** The next to be sent, or NULL. It stays where it is until it is taken. */
struct sink_item *sink_queue_next(struct sink_queue *queue);

/** sink_queue_next() is on its way; its number is set. */
void sink_queue_take(struct sink_queue *queue);

/** sink_queue_next() can never be sent: it is lost. */
void sink_queue_refuse(struct sink_queue *queue);

/** All taken ones up to @number are delivered, or else refused: lost. */
void sink_queue_done(struct sink_queue *queue, __u64 number, bool delivered);

/** What is on its way will not arrive: it is next again. */
void sink_queue_return(struct sink_queue *queue);

/** How many wait, in memory and on disk. */
__u64 sink_queue_waiting(const struct sink_queue *queue);

/** Free what is in memory, uncounted: what is in the spool is sent when it is opened again. */
void sink_queue_close(struct sink_queue *queue);

#endif
