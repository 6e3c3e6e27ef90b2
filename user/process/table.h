/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that records are about, and their ancestors, by number and start: what they run, where,
 * for what, and who made them, also after their end. The kernel tells of their lives; what it could not
 * tell is read from /proc, and marked.
 *
 * Room is limited, in processes and in bytes, in all and for each agent. A process that has ended and has
 * no children here is forgotten a minute later, or sooner when the room is used up, the one that ended first
 * first; then the one goes that was not seen for longest. Its children then have no parent, and say so.
 */
#ifndef PICKET_PROCESS_TABLE_H
#define PICKET_PROCESS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "process/call.h"
#include "process/shared.h"
#include "telemetry/life.h"
#include "telemetry/process_view.h"

/** How long a process is known after its end. */
#define PROCESS_KEPT_NS 60000000000ULL

/** Room. */
struct process_limits {
	size_t processes; /* in all; the half for one agent */
	size_t bytes; /* the same */
};

/** Room for a host. */
#define PROCESS_LIMITS ((struct process_limits){ .processes = 32768, .bytes = 16U << 20 })

struct process_list;

/** A program; NULL = not known, or none. */
struct process_program {
	struct shared *exe; /* path */
	struct shared *words; /* as in struct pk_life */
	struct shared *cwd; /* where it began */
	struct shared *variables; /* as in struct pk_life */
};

/** One process. Fields are for reading, but for `calls`; it is gone at the next call about the table. */
struct process {
	__u32 tgid; /* in the initial pid namespace */
	__u32 agent; /* slot; 0: no agent's, an ancestor */
	__u64 start_ns; /* CLOCK_BOOTTIME; see rough */
	__u64 ended_ns; /* when it ended; 0: it lives as far as is known */
	__u64 program_ns; /* when its program began; 0: not told */
	__u64 cgroup; /* id; 0: not known */
	__u32 uid;
	__u32 gid;
	char comm[17];
	bool rough; /* its start is known to the tick only, from /proc */
	bool incomplete; /* records were lost: what is here was repaired, or is missing */
	bool suspect; /* records of its agent were lost: it is looked at before it is told of */
	bool cut; /* its parent was forgotten, or never known */
	__u64 idle_ns; /* since when it is ended, or nobody's, and childless */
	size_t call_bytes; /* that its calls are counted for */
	bool pending; /* a program began whose directory and variables are not told yet */
	struct process_program program; /* what it runs */
	struct process_program
		before; /* what it ran before: for records that are older than program_ns */
	struct shared *trace; /* a valid traceparent */
	struct shared *container;
	struct tool_call *inherited; /* what its parent worked on when it was made */
	struct call_stack calls; /* said of it */
	struct process *parent; /* who made it, or NULL */
	struct process *children; /* the newest first; linked by next_child */
	struct process *next_child;
	struct process **child_link; /* what points here in that list */
	struct process *next_same; /* in the bucket */
	struct process_list *list;
	struct process *older;
	struct process *newer;
};

/** What a record says of its process. */
struct process_facts {
	__u32 tgid;
	__u32 parent_tgid; /* 0: not told */
	__u64 start_ns; /* CLOCK_BOOTTIME */
	__u64 parent_start_ns;
	__u64 time_ns; /* of the record */
	__u64 cgroup;
	__u32 agent;
	__u32 uid;
	__u32 gid;
	const char *comm; /* at most 16 bytes */
	const char *parent_comm; /* the same; NULL: not told */
};

struct process_table;

/** Make an empty table (caller frees with process_table_free()). Returns 0 or -ENOMEM. */
int process_table_new(const struct process_limits *limits, struct process_table **ret_table);

/** Free it; accepts NULL, resets. */
void process_table_free(struct process_table **table);

/** The process with this number and start, or NULL. */
struct process *process_table_find(struct process_table *table, __u32 tgid, __u64 start_ns);

/**
 * The process of a record, which is made, and repaired from /proc, if it is not known. NULL: no memory,
 * or the record does not tell its start.
 */
struct process *process_table_see(struct process_table *table, const struct process_facts *facts);

/** The facts of a decision's or activity's record. */
struct process_facts process_facts_of(const struct event *event);

/**
 * The process that has the number @tgid now, for agent @agent, from /proc if need be. NULL: there is none,
 * or no memory.
 */
struct process *process_table_now(struct process_table *table, __u32 tgid, __u32 agent);

/**
 * Take a record of a life. Stores the process and returns 0; -ENOMEM: there was no memory. What has to be
 * told of the record is the caller's affair: a PROGRAM's directory and variables come with its CONTEXT.
 */
int process_table_take(struct process_table *table, const struct life *life,
		       struct process **ret_process);

/** The agent's first program is that of process @tgid: whatever its environment says is trusted. */
void process_table_root(struct process_table *table, __u32 agent, __u32 tgid);

/**
 * What is trusted of the agent from now on is @variables, @size bytes, none if 0, and no program can add to it: when it
 * was taken over and its first program is long running. Returns 0 or -ENOMEM.
 */
int process_table_trust(struct process_table *table, __u32 agent, const char *variables,
			size_t size);

/** The trusted variables of an agent, borrowed, or NULL: none, or not known yet. */
const struct shared *process_table_tags(const struct process_table *table, __u32 agent);

/** To be called after a change of process->calls: counts them, and makes room if need be. */
void process_table_called(struct process_table *table, struct process *process);

/**
 * The agent works on @call, it is not known which of its processes: it is that of all that have none of their
 * own. Takes a reference. Returns 0 or -ENOMEM.
 */
int process_table_call(struct process_table *table, __u32 agent, struct tool_call *call);

/** End such a call, meant as call_stack_end() says. Returns 0, or -ENOENT: there is none. */
int process_table_call_end(struct process_table *table, __u32 agent, const char *call_id,
			   const char *name);

/** Forget processes that ended longer than PROCESS_KEPT_NS before @now_ns (CLOCK_BOOTTIME). */
void process_table_age(struct process_table *table, __u64 now_ns);

/** Records of the agent's processes were lost: look at them before they are told of. */
void process_table_suspect(struct process_table *table, __u32 agent);

/** Forget all processes of an agent that is gone, and what was trusted of it. */
void process_table_forget(struct process_table *table, __u32 agent);

/** How many processes, and bytes, there are; how many were forgotten for want of room. */
struct process_counts {
	size_t processes;
	size_t bytes;
	__u64 evicted;
};
struct process_counts process_table_counts(const struct process_table *table);

/**
 * What is known of the process for a record of it of @time_ns (0: as it is): records of decisions come after
 * those of lives, and are of what it ran then. @view is good until the table changes.
 */
void process_table_view(const struct process_table *table, const struct process *process,
			__u64 time_ns, struct process_view *view);

#endif
