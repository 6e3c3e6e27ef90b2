/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An agent of a hub, processes that do something as it, and what is told of their lives.
 */
#ifndef PICKET_TESTS_LIFE_WORLD_H
#define PICKET_TESTS_LIFE_WORLD_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "hub_world.h"

#define LIFE_PROGRAM "/bin/true"
#define LIFE_RECORDS_MAX 2048

/** A record, as it came. */
struct life_record {
	struct pk_life head;
	char *text; /* both texts, malloc'ed */
};

/** What processes tell us besides: in shared memory. */
struct life_facts {
	pid_t child;
	unsigned long long start; /* of the child, by /proc/PID/stat */
	int status; /* of the child, by wait(2) */
};

struct ring_buffer;

/** The agent and its records. */
struct life_world {
	struct hub hub;
	struct hub_agent agent;
	struct ring_buffer *ring;
	struct life_record records[LIFE_RECORDS_MAX]; /* in the order of the ring */
	size_t count;
	struct life_facts *facts;
	char program[PATH_MAX]; /* LIFE_PROGRAM without links */
};

/** The one of a test program. */
extern struct life_world life_world;

/** Set it up and clear it away: for cmocka. */
int life_world_start(void **state);
int life_world_end(void **state);

/** Take what is in the ring. */
void life_world_drain(void);

/** The agent's counter of lost records. */
__u64 life_world_lost(void);

/**
 * Have a child of ours do @act, as the agent's or (@agents false) nobody's, and wait for its end. What is told
 * of it is in the ring afterwards, and nothing else. Returns its number.
 */
pid_t life_world_do(bool agents, void (*act)(void), int *ret_status);

/** The same for the agent, its records taken out of the ring. */
pid_t life_world_watch(void (*act)(void));

/** The one record of the process that tells @what, or fail. */
const struct life_record *life_world_find(pid_t pid, enum pk_life_what what);

/** How many records tell @what. */
size_t life_world_count(enum pk_life_what what);

/** The first text is @text, or fail; the second one @size bytes at @bytes. */
void life_world_expect_text(const struct life_record *record, const char *text);
void life_world_expect_bytes(const struct life_record *record, const char *bytes, size_t size);

#endif
