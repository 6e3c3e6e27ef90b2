/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One sink as the daemon sees it: its queue, and the process that is fed from it. A process that ends is
 * started again; what it had not delivered is sent again. Nothing here waits for it.
 */
#ifndef PICKET_DAEMON_SINK_FEED_H
#define PICKET_DAEMON_SINK_FEED_H

#include <jansson.h>
#include <sys/types.h>

#include "daemon/loop.h"
#include "daemon/registry.h"
#include "sink/queue.h"
#include "sink/settings.h"
#include "sink/wire.h"

struct daemon;

/** Agents whose losses are told apart, of one sink in one second. */
#define SINK_LOSERS_MAX 64

/** What one agent lost and nobody was told of yet. */
struct sink_loss {
	char agent[AGENT_ID_SIZE]; /* "": none, or one too many */
	__u64 count[SINK__CLASSES];
};

/** One sink. Stays where it is. */
struct sink_feed {
	struct sink_feed *next;
	struct daemon *daemon;
	struct sink_settings settings; /* owned */
	struct sink_queue queue;
	struct wire_report report; /* the last one */
	__u64 retries;
	__u64 restarts;
	unsigned int failures; /* ends of processes in a row that had delivered nothing */
	pid_t pid; /* 0 = none */
	struct loop_source process; /* pidfd */
	struct loop_source socket;
	struct loop_source again; /* timer: the next start */
	bool full; /* the socket is */
	bool dying; /* told to end: the next one starts at once, or none when `removed` */
	bool removed;
	bool kept; /* the settings have it too: used while they are read again */
	int spool_error; /* it could not be opened */
	struct sink_loss losses[SINK_LOSERS_MAX];
	size_t loss_count;
};

/**
 * Make a sink of @settings, which it takes over, with its spool below @spools (-1: none), and start it.
 * Returns 0 or -errno.
 */
int sink_feed_open(struct daemon *daemon, struct sink_settings *settings, int spools,
		   struct sink_feed **ret_feed);

/** Offer a line. */
void sink_feed_add(struct sink_feed *feed, struct sink_line *line);

/** Take over other settings of the same name and type; the process is replaced. */
void sink_feed_change(struct sink_feed *feed, struct sink_settings *settings);

/** Send what the process takes and read what it tells, now. */
void sink_feed_work(struct sink_feed *feed);

/** Is there something in memory that a working process can be expected to take soon? */
bool sink_feed_is_busy(const struct sink_feed *feed);

/** Tell of losses as records of kind "loss". */
void sink_feed_tell_losses(struct sink_feed *feed);

/** An object for the status, or NULL. */
json_t *sink_feed_status(const struct sink_feed *feed);

/** End one that is configured no more; it is freed when its process is gone. Resets. */
void sink_feed_remove(struct sink_feed **feed);

/** Kill its process and free it at once: the loop has ended. Resets. */
void sink_feed_close(struct sink_feed **feed);

#endif
