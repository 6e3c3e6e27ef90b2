/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the table of processes knows of the process of one record, for whoever renders it. Everything is
 * borrowed from the table, and good until that changes.
 */
#ifndef PICKET_TELEMETRY_PROCESS_VIEW_H
#define PICKET_TELEMETRY_PROCESS_VIEW_H

#include <stdbool.h>

#include "telemetry/event.h"

/** Most ancestors that are told. */
#define PROCESS_CHAIN_MAX 16
/** Most variables that are told of each kind. */
#define PROCESS_VARIABLES_MAX 32

/** One ancestor. */
struct process_ancestor {
	__u32 pid;
	__u64 start_ns; /* CLOCK_BOOTTIME */
	const char *comm; /* NUL-terminated, any other byte */
	struct event_path exe; /* empty: not known */
	bool incomplete; /* records of it were lost */
};

/** A name and its text. */
struct process_variable {
	struct event_path name;
	struct event_path value;
};

/** A list of them. */
struct process_variables {
	struct process_variable list[PROCESS_VARIABLES_MAX];
	size_t count;
};

/** A tool call. */
struct process_tool {
	struct event_path name; /* empty: not known */
	struct event_path call_id; /* empty: not known */
	struct event_path intent; /* empty: not known */
	__u64 started_ns; /* CLOCK_BOOTTIME; 0 = not known */
	const char *by; /* "note", "otlp", "environment"; NULL = there is no call */
	bool claimed; /* the agent's own word */
};

/** The process, its ancestors, and what it is for. */
struct process_view {
	struct event_path exe; /* empty: not known */
	struct event_path words; /* as struct pk_life has them */
	struct event_path cwd; /* empty: not known */
	struct event_path container; /* id; empty = none */
	bool incomplete;
	struct process_ancestor chain[PROCESS_CHAIN_MAX]; /* the parent first */
	size_t chain_count;
	bool chain_cut; /* there are more, or they are not known */
	struct event_path traceparent; /* valid; empty = none */
	struct process_variables tags; /* the launcher's */
	struct process_variables claimed; /* the agent's own, where they differ */
	struct process_tool tool;
};

#endif
