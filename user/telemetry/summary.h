/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was denied over a whole run: denials grouped by the rule, default or reason that decided,
 * with counts, the objects concerned, and the smallest policy lines that would allow them. Memory
 * is bounded whatever the events are; what is over the bound is counted.
 */
#ifndef PICKET_TELEMETRY_SUMMARY_H
#define PICKET_TELEMETRY_SUMMARY_H

#include <stdio.h>

#include "telemetry/event.h"

/** Groups kept; denials of further ones are counted together. */
#define SUMMARY_GROUPS_MAX 256
/** Distinct objects kept in a group, with exact counts; others are counted together. */
#define SUMMARY_OBJECTS_MAX 32
/** Bytes of objects kept in all groups; an object that does not fit is counted only. */
#define SUMMARY_BYTES_MAX (1U << 20)

/** Opaque. summary_free() frees. */
struct summary;

/** Returns 0 or -ENOMEM. */
int summary_new(struct summary **ret_summary);

/** Accepts NULL; resets the pointer. */
void summary_free(struct summary **summary);

/**
 * Take one event into account; activity is only counted. Out of memory the event is counted and its
 * object is not kept.
 */
void summary_add(struct summary *summary, const struct event *event);

/** Count a record that event_decode() refused. */
void summary_add_malformed(struct summary *summary);

/** Store the kernel's counters (struct pk_agent.counts) for the report of losses. */
void summary_set_counts(struct summary *summary, const __u64 counts[PK_COUNT__MAX]);

/** Denials seen so far (in audit mode: would-be ones); what waits or was granted is none. */
__u64 summary_denials(const struct summary *summary);

/**
 * Write the summary; nothing at all when there was no denial and no loss. @context as for the text
 * lines; its image must be the one the events were judged by.
 * Returns 0, -ENOMEM or the error of writing.
 */
int summary_print(const struct summary *summary, const struct event_context *context, FILE *to);

#endif
