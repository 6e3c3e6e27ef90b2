/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Heads of a trail that were kept elsewhere: the `audit-head` records that picketd sends to its sinks at
 * each checkpoint, as a sink wrote them.
 */
#ifndef PICKET_AUDIT_ANCHOR_H
#define PICKET_AUDIT_ANCHOR_H

#include <stdio.h>

#include "audit/line.h"

/** Anchors, by number; anchors_reset() frees. Zero-initialise. */
struct anchors {
	struct audit_head *items; /* owned */
	size_t count;
};

/**
 * Add those in @file: one of each line, whatever else is in it. Known forms: the records of picket's own
 * JSON, alone or behind a head of syslog; OTLP/HTTP in JSON, where they are attributes. Returns 0, or
 * -errno.
 */
int anchors_read(FILE *file, struct anchors *anchors);

/** Put them in order; of equal ones one stays. */
void anchors_sort(struct anchors *anchors);

/** Free what it owns and make it empty. */
void anchors_reset(struct anchors *anchors);

#endif
