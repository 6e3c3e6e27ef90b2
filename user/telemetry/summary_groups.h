/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of the summary: what is collected (summary.c) and read by its printing (summary_print.c).
 */
#ifndef PICKET_TELEMETRY_SUMMARY_GROUPS_H
#define PICKET_TELEMETRY_SUMMARY_GROUPS_H

#include "telemetry/summary.h"

/** One distinct act: the first event of it, and how often it came. */
struct summary_object {
	struct event event; /* its paths point into `paths` */
	char *paths; /* owned, or NULL */
	__u64 count;
};

/** All denials by one decider. */
struct summary_group {
	struct event first; /* whose rule and reason stand for the group; paths are not kept */
	struct summary_object *objects; /* owned */
	size_t object_count;
	__u64 count; /* denials of the group */
	__u64 unkept; /* of these, those whose object was not kept */
};

/** All that was collected in a run. */
struct summary {
	struct summary_group *groups; /* owned */
	size_t group_count;
	size_t bytes; /* of objects */
	__u64 denials;
	__u64 activity;
	__u64 held; /* times that an act was stopped until somebody answers */
	__u64 granted;
	__u64 refused; /* denials too */
	__u64 ungrouped; /* denials over SUMMARY_GROUPS_MAX */
	__u64 malformed;
	__u64 counts[PK_COUNT__MAX];
};

#endif
