/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lives of agents' processes: the table of them, fed by the kernel's records, and what is told of them.
 *
 * Records of lives come through another ring than decisions: that one is emptied first, and once more
 * when a decision is of a process that is not known, so that who did it is known before what it did.
 */
#ifndef PICKET_DAEMON_LIVES_H
#define PICKET_DAEMON_LIVES_H

#include "base/diag.h"
#include "daemon/registry.h"
#include "process/table.h"

struct daemon;
struct events;
struct ring_buffer;

/** What was told of an agent's losses, and when they were looked at. */
struct lives_agent {
	__u64 told[PK_COUNT__MAX]; /* the kernel's counts */
	__u64 untold; /* records of decisions that subscribers were too slow for */
	__u64 untold_allowed; /* the same of activity */
	__u64 lost; /* records of lives, when the agent's processes were last suspected */
	__u64 looked_ns; /* CLOCK_BOOTTIME */
};

/** All of it. Zero-initialise. */
struct lives {
	struct daemon *daemon; /* whose it is */
	struct process_table *table; /* owned; NULL = not open */
	struct ring_buffer *activity; /* owned */
	struct lives_agent *agents; /* owned; PK_AGENTS_MAX of them */
	bool consuming; /* the ring is being emptied */
};

/** Make the table and map the ring of activity. Returns 0, or -errno with an error. */
int lives_open(struct daemon *daemon, struct diag_list *diags);

/** Free what it owns. */
void lives_close(struct lives *lives);

/** Take the @size bytes at @bytes, a record of a life. */
void lives_take(struct lives *lives, const void *bytes, size_t size);

/**
 * Hand out what waits in the ring of activity, up to one batch. Returns -EAGAIN when there may be more,
 * else 0.
 */
int lives_consume(struct lives *lives);

/** Hand out all that was in it when this was called. */
void lives_consume_all(struct lives *lives);

/**
 * What is known of the process of @event, for who renders it, in *@view; false: nothing, and nothing can
 * be known. Good until the next record.
 */
bool lives_view(struct lives *lives, const struct event *event, struct process_view *view);

/**
 * The process with the number @pid now, of the agent in @slot, from /proc if need be; or NULL. Good until the
 * next record. Whoever changes its `calls` calls process_table_called(lives->table, process).
 */
struct process *lives_process(struct lives *lives, pid_t pid, __u32 slot);

/** The `process` of a record that picketd makes (json.h), or NULL: no memory. */
json_t *lives_process_json(const struct lives *lives, const struct process *process,
			   const struct agent_entry *entry);

/** An agent began (@adopted: it was there before us), and ended. */
void lives_begin(struct daemon *daemon, const struct agent_entry *entry, bool adopted);
void lives_end(struct daemon *daemon, const struct agent_entry *entry);

/** Tell that the agent has another policy since now; @before: the old digest. */
void lives_replaced(struct daemon *daemon, const struct agent_entry *entry, const char *before);

/** Tell that picketd began ("start"), or ends ("stop"). */
void lives_daemon(struct daemon *daemon, const char *op);

/** Tell of losses since the last time, and forget processes that ended long ago. */
void lives_check(struct daemon *daemon);

#endif
