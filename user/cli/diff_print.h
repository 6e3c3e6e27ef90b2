/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The differences of two policies, for people and as JSON.
 */
#ifndef PICKET_CLI_DIFF_PRINT_H
#define PICKET_CLI_DIFF_PRINT_H

#include "author/diff.h"
#include "policy/image.h"

/** Two policies and what is between them; borrows all of it. */
struct diff_report {
	const char *paths[2];
	const struct policy_image *images[2];
	const struct diff *diff;
};

/** How many changes and settings went one way. */
size_t diff_report_count(const struct diff *diff, enum diff_way way);

/** Print for people; returns CLI_OK. */
int diff_report_print(const struct diff_report *report);

/** Print as JSON; returns CLI_OK or CLI_FAILED. */
int diff_report_json(const struct diff_report *report);

#endif
