/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the commands about approvals share: requests for people, and ids that were not written out.
 */
#ifndef PICKET_CLI_REQUESTS_H
#define PICKET_CLI_REQUESTS_H

#include <jansson.h>
#include <stdio.h>

#include "control/client.h"

/** Which request is meant. */
struct requests_wanted {
	const char *command; /* for complaints */
	const char *id; /* or its beginning; "r-" may be left out */
	const char *agent; /* NULL = whichever; the same act of two agents has the same id */
};

/**
 * The one request that is @wanted. Returns CLI_OK (caller json_decref()s) or the exit code after printing
 * what is wrong and what to do.
 */
int requests_find(const struct requests_wanted *wanted, struct control *control,
		  json_t **ret_request);

/** Write a request as a block of lines. */
void requests_print(const json_t *request, FILE *to);

/** Write what a request or grant is about, on one line: "connect api.example.com:443/tcp (203.0.113.7)". */
void requests_print_act(const json_t *request, FILE *to);

/** The same, malloc'ed; NULL: out of memory. */
char *requests_act(const json_t *request);

/** Write one of them. */
void requests_print_approver(const json_t *approver, FILE *to);

/** Write who approved, "alice (uid 1001), hook"; "nobody" for an empty list. */
void requests_print_approvers(const json_t *approved_by, FILE *to);

/** Write @text, of many lines, safe for terminals; each line is behind @indent. */
void requests_print_lines(const char *text, const char *indent, FILE *to);

#endif
