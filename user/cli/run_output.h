/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the records of a run go: a line each to stderr, a line of JSON each to a file, the summary
 * at the end. An output that breaks is said once and counted; it never holds up the run.
 */
#ifndef PICKET_CLI_RUN_OUTPUT_H
#define PICKET_CLI_RUN_OUTPUT_H

#include <stdbool.h>

#include "engine/learned.h"
#include "telemetry/event.h"
#include "telemetry/summary.h"

/** Outputs of one run. run_output_reset() frees. */
struct run_output {
	struct event_context context; /* its pointers are borrowed */
	struct summary *summary;
	struct process_table *processes; /* owned; for the events; NULL = none are written */
	bool began; /* the agent's first program */
	bool quiet; /* no lines and no summary on stderr */
	bool silent; /* stderr is broken */
	const char *events; /* --events as given; borrowed; NULL = none */
	int events_fd; /* -1 = none; not owned when it is stdout */
	long long events_start; /* bytes that were in it before */
	bool events_torn; /* a line was written in part */
	bool events_told; /* that writing fails was said */
	__u64 events_lost;
};

/** An empty value. */
#define RUN_OUTPUT_NONE                                                                            \
	{                                                                                          \
		.events_fd = -1                                                                    \
	}

/**
 * Open @events ("-": stdout; a file is appended to, made with mode 0600; NULL: none) and start the
 * summary. Returns 0, or -errno of opening.
 */
int run_output_open(struct run_output *output, const char *events);

/** Take one record as the ring buffer gave it; @context is the struct run_output. */
void run_output_record(void *context, const void *bytes, size_t size);

/** Write @text, made elsewhere, to stderr unless quiet. */
void run_output_text(struct run_output *output, const char *text);

/** Append @line, JSON without a newline made elsewhere, to the events; NULL: out of memory. */
void run_output_json(struct run_output *output, const char *line);

/** Say how many events could not be written, if any. */
void run_output_losses(const struct run_output *output);

/** Write the table of learned names: to stderr unless quiet, and a line each to the events. */
void run_output_names(struct run_output *output, const struct learned_table *table);

/** Write the summary and what was lost to stderr, unless quiet. @counts are the kernel's. */
void run_output_finish(struct run_output *output, const __u64 counts[PK_COUNT__MAX]);

/** Close and free; accepts an empty output. */
void run_output_reset(struct run_output *output);

#endif
