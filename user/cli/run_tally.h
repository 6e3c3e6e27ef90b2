/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run was told of against what the kernel counted: picketd may be away or killed while it hands
 * decisions over, and what nobody was told of is said in the end by its number.
 */
#ifndef PICKET_CLI_RUN_TALLY_H
#define PICKET_CLI_RUN_TALLY_H

#include <jansson.h>

/** The schema of the line that run_tally_line() makes. */
#define RUN_TALLY_SCHEMA "picket.tally/1"

/** Decisions of one run: decided = told + lost + untold. Zero-initialise. */
struct run_tally {
	json_int_t decided; /* denied, asked and granted: counted in the kernel */
	json_int_t told; /* that came as events */
	json_int_t lost; /* the kernel had no room for their record */
	json_int_t untold; /* of which there was a record, and no event came */
};

/** Take @event, an object of schema picket.event/1, into account; NULL does nothing. */
void run_tally_add(struct run_tally *tally, const json_t *event);

/** Take the kernel's @counts by name, of agent.stop, and with them find what is untold. */
void run_tally_close(struct run_tally *tally, const json_t *counts);

/** The tally of @agent as a line of JSON without a newline (caller frees), or NULL: no memory. */
char *run_tally_line(const struct run_tally *tally, const char *agent);

/** What is untold in words, a line, (caller frees); NULL when nothing is, or no memory. */
char *run_tally_text(const struct run_tally *tally);

#endif
