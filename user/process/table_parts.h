/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of processes from the inside: what table.c (who is there), room.c (who has to go), know.c
 * (what is known of one) and view.c share.
 */
#ifndef PICKET_PROCESS_TABLE_PARTS_H
#define PICKET_PROCESS_TABLE_PARTS_H

#include "process/repair.h"
#include "process/table.h"

/** A list of processes, the oldest first. */
struct process_list {
	struct process *oldest;
	struct process *newest;
};

/** What is known of an agent. */
struct process_agent {
	struct process_list used; /* by when they were seen */
	struct process_list ended; /* ended and childless, by when they came to be so */
	size_t processes;
	size_t bytes;
	struct shared *tags; /* trusted variables, or NULL */
	struct call_stack calls; /* said of the agent as a whole */
	bool trusts; /* tags are decided */
	__u32 root; /* tgid of its first process; 0: not known */
};

/** The table. */
struct process_table {
	struct process_limits limits;
	struct process **buckets; /* by number */
	size_t bucket_count; /* a power of two */
	size_t processes;
	size_t bytes;
	__u64 evicted;
	__u64 now_ns; /* time of the newest record */
	struct process_agent agents[PK_AGENTS_MAX];
};

/** Put @process, which is in no list, where it belongs: at the newest end. */
void process_room_enlist(struct process_table *table, struct process *process);

/** Take @process out of its list. */
void process_room_unlist(struct process *process);

/** Forget processes that ended long ago, and others until there is room for one more of @agent but @keep. */
void process_room_make(struct process_table *table, __u32 agent, const struct process *keep);

/** Count @bytes that agent @owner has more. */
void process_room_charge(struct process_table *table, __u32 owner, size_t bytes);

/** Forget @process: out of the table, and freed. */
void process_table_drop(struct process_table *table, struct process *process);

/** Give a reference of the table's back. */
void process_know_unref(struct process_table *table, struct shared **shared);

/** Set *@to to these bytes; as it was, when they are the same or when there is no memory (-ENOMEM). */
int process_know_set(struct process_table *table, const struct process *process, struct shared **to,
		     struct event_path bytes);

/** What a child has from its parent at fork. */
void process_know_inherit(struct process_table *table, struct process *child,
			  const struct process *parent);

/**
 * The tool call of a process that no record of a fork told of: its parent's newest that is older than it, or
 * what the parent was started under.
 */
void process_know_call(struct process_table *table, struct process *child);

/** Take what the record of a program says. Returns 0 or -ENOMEM. */
int process_know_program(struct process_table *table, struct process *process,
			 const struct life *life);

/** The same of its directory and variables. */
int process_know_context(struct process_table *table, struct process *process,
			 const struct life *life);

/**
 * Take what /proc says of it, which is the same process; with @compare it was known before, and is only
 * incomplete if what it runs has changed. Returns 0 or -ENOMEM.
 */
int process_know_repaired(struct process_table *table, struct process *process,
			  const struct repaired *repaired, bool compare);

/** Find out which container it is in. */
void process_know_container(struct process_table *table, struct process *process);

/** Free what is known of it. */
void process_know_nothing(struct process_table *table, struct process *process);

#endif
