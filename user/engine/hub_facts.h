/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel says of the hub's programs and maps: for people, and for who measures.
 */
#ifndef PICKET_ENGINE_HUB_FACTS_H
#define PICKET_ENGINE_HUB_FACTS_H

#include "engine/hub.h"

/** A program that is attached. */
struct hub_program_facts {
	char name[64];
	__u64 runs; /* counted while the kernel does, see hub_counts_runs() */
	__u64 ns; /* spent in them */
};

/** A map. */
struct hub_map_facts {
	const char *name; /* borrowed */
	const char *kind; /* "hash", "array" ...; static */
	__u64 entries; /* of arrays all, of others counted while they change */
	__u64 room;
	bool bounded; /* entries are made as they are needed, and there is an end to it */
};

/** Does the kernel count runs and times of programs (kernel.bpf_stats_enabled)? */
bool hub_counts_runs(void);

/** Take the time of decisions from now on, or no more: PK_COUNT_TIMED and PK_COUNT_TIMED_NS of each agent. */
void hub_time_decisions(struct hub *hub, bool on);

/** Called for each attached program but those of attached agents' cgroups; nonzero stops. */
typedef int (*hub_program_fn)(void *context, const struct hub_program_facts *facts);
int hub_programs(const struct hub *hub, hub_program_fn fn, void *context);

/**
 * Called for each map but those that belong to tasks, inodes and sockets, which cannot be counted; nonzero
 * stops. Counting takes a call for each entry.
 */
typedef int (*hub_map_fn)(void *context, const struct hub_map_facts *facts);
int hub_maps(const struct hub *hub, hub_map_fn fn, void *context);

#endif
