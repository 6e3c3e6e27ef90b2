/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long decisions take: a histogram for each kind of operation, in which a sample of them is counted
 * while somebody wants it. Off unless it is switched on: then each hook draws a random number.
 */
#ifndef PICKET_ENGINE_LATENCY_H
#define PICKET_ENGINE_LATENCY_H

#include "engine/hub.h"

/**
 * From now on the time of about one in @every decisions is taken; 1: of each, 0: of none. It stays so when
 * the hub is closed. While hub_time_decisions() is on, the time of each is taken, whatever @every, unless it
 * is 0.
 */
void latency_sample(struct hub *hub, __u32 every);

/**
 * Called with an operation (enum pk_op) about which at least one decision was sampled, and what was counted
 * on all CPUs since the hub was set up; nonzero stops and is returned.
 */
typedef int (*latency_fn)(void *context, __u32 op, const struct pk_latency *latency);

/** Call @fn for each operation that was sampled. Returns 0, what @fn returned, or -errno. */
int latency_each(const struct hub *hub, latency_fn fn, void *context);

/** How many decisions are counted in @latency. */
__u64 latency_count(const struct pk_latency *latency);

#endif
