/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An incident report: what one agent did in a period, as one HTML file that needs nothing else (no
 * script, no font, no request) and is well-formed XML too. Made from the store alone; whatever an agent
 * chose as names or arguments is text in it and nothing more.
 *
 * Everything in it is bounded: tables show what weighs most and say how much more there was, the tree of
 * processes folds what nothing was denied to.
 */
#ifndef PICKET_REPORT_REPORT_H
#define PICKET_REPORT_REPORT_H

#include <stdio.h>

#include "store/store.h"

/** What is asked for. */
struct report_question {
	const char *agent; /* id, or name: all agents that had it */
	__s64 since_ns, until_ns; /* 0: unbounded */
};

/**
 * Write the report to @to. Returns 0; -ENOENT with a finding: the store has nothing of that agent; or
 * -errno with a finding. Errors of writing to @to are for the caller to look for.
 */
int report_write(struct store *store, const struct report_question *question, FILE *to,
		 struct diag_list *diags);

#endif
