/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tool call that a process works on, as the agent says. A call is said about one process; what that
 * process starts while the call is its newest has it for good, whatever ends later: a reference is kept,
 * and nothing of it changes.
 */
#ifndef PICKET_PROCESS_CALL_H
#define PICKET_PROCESS_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/** Calls of one process that have not ended; when there is one more, the oldest is forgotten. */
#define CALLS_MAX 16

/** Who said so. */
enum call_source {
	CALL_NOTE, /* `picket note` */
	CALL_OTLP, /* telemetry of the agent's */
	CALL_ENVIRONMENT, /* variables of a program */
	CALL__SOURCES
};

/** What is said of a call. Texts are borrowed, "" or NULL: not said. */
struct tool_call_facts {
	const char *name;
	const char *call_id;
	const char *intent;
	__u64 started_ns; /* CLOCK_BOOTTIME */
	__u64 until_ns; /* CLOCK_BOOTTIME: then it has ended, whoever says so; 0 = when that is said */
	enum call_source by;
	bool claimed; /* by the agent itself */
};

/** One call; shared, never changed. */
struct tool_call {
	unsigned int refs;
	enum call_source by;
	bool claimed;
	__u64 started_ns; /* CLOCK_BOOTTIME */
	__u64 until_ns; /* as above */
	const char *name; /* these three: owned with the call, in one piece */
	const char *call_id; /* or NULL */
	const char *intent; /* or NULL */
};

/** Calls of one process that have not ended, the newest last. Zero-initialise. */
struct call_stack {
	struct tool_call **calls; /* owned, and a reference of each */
	size_t count;
};

/** "note", "otlp", "environment". */
const char *call_source_name(enum call_source by);

/** A call (the caller's reference), or NULL: no memory. */
struct tool_call *call_new(const struct tool_call_facts *facts);

/** One more reference; accepts NULL. Returns @call. */
struct tool_call *call_ref(struct tool_call *call);

/** Give a reference back; accepts NULL; resets the pointer. */
void call_unref(struct tool_call **call);

/** Bytes of memory that it takes. */
size_t call_bytes(const struct tool_call *call);

/** Put @call on top; takes a reference of its own. Returns 0 or -ENOMEM. */
int call_stack_push(struct call_stack *stack, struct tool_call *call);

/**
 * End a call: the newest with this @call_id, or, where that is NULL, with this @name, or the newest of all.
 * Stores it (the caller's reference) unless @ret_call is NULL. Returns 0, or -ENOENT: there is none.
 */
int call_stack_end(struct call_stack *stack, const char *call_id, const char *name,
		   struct tool_call **ret_call);

/** The newest call, borrowed, or NULL. */
struct tool_call *call_stack_current(const struct call_stack *stack);

/** The newest call that has not timed out at @now_ns (CLOCK_BOOTTIME), borrowed, or NULL. */
struct tool_call *call_stack_current_at(const struct call_stack *stack, __u64 now_ns);

/** Forget all of them. */
void call_stack_reset(struct call_stack *stack);

#endif
