/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the daemon is: what `status` answers, the same in a sentence, and the look at what nothing tells of,
 * every few seconds.
 */
#ifndef PICKET_DAEMON_HEALTH_H
#define PICKET_DAEMON_HEALTH_H

#include <jansson.h>
#include <stdbool.h>

struct daemon;

/** Seconds between two proofs of enforcement. */
#define HEALTH_PROOF_SECONDS 600

/** Enforcement has just been proven, or was tried to be: note the time. */
void health_proven(struct daemon *daemon);

/** Prove enforcement again if it is time. */
void health_check(struct daemon *daemon);

/**
 * What `status` answers, with programs and maps if @detail, for which the kernel is asked about each entry
 * of each map. NULL: no memory.
 */
json_t *health_status(struct daemon *daemon, bool detail);

/** A line about how it is, malloc'ed; NULL: no memory. */
char *health_sentence(const struct daemon *daemon);

#endif
