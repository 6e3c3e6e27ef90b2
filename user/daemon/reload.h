/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * New policies for agents that run: all are compiled first, then all are published, or none. Asked for
 * by a method, by SIGHUP, or by a change in the folders of policies, after a moment of quiet.
 *
 * The loop goes on meanwhile: a process of its own compiles (plan.h), and images are published one agent a
 * turn. What is asked for during a reload comes after it, in its turn.
 */
#ifndef PICKET_DAEMON_RELOAD_H
#define PICKET_DAEMON_RELOAD_H

#include <jansson.h>
#include <time.h>

#include "base/diag.h"
#include "daemon/loop.h"
#include "daemon/plan.h"

struct daemon;
struct agent_entry;
struct client;

/** Quiet after a change before it is taken, and the longest that changes can put it off. */
#define RELOAD_QUIET_MS 300
#define RELOAD_PATIENCE_MS 3000
/** Longest that compiling may take: less than clients wait for the answer. */
#define RELOAD_COMPILE_MS 50000
/** Most that wait for their turn. */
#define RELOAD_TURNS_MAX 64

/** A reload that was asked for. */
struct reload_turn {
	struct reload_turn *next;
	struct client *client; /* who waits for the answer, or NULL */
	json_t *id; /* of its call; owned */
	char agent[AGENT_ID_SIZE]; /* "": all */
};

/** What is watched, what is under way, and how the last one went. */
struct reload {
	struct loop_source changes; /* inotify */
	struct loop_source quiet; /* timer */
	struct timespec first; /* change that was not taken yet; 0 = none */

	struct reload_turn *turns; /* owned; the first is under way */
	struct loop_source maker; /* pidfd of the process that compiles */
	struct loop_source late; /* timer: it took too long */
	struct loop_source step; /* timer: the next agent's image */
	pid_t pid; /* the maker's; 0 = none */
	bool killed; /* it was late */
	int file; /* what it writes */
	struct plan plan;
	size_t next; /* change of the plan */
	bool publishing;
	struct timespec begun; /* CLOCK_MONOTONIC */

	time_t at; /* of the last reload; 0 = none yet */
	bool ok;
	unsigned int ms; /* that it took */
	size_t reloaded; /* agents that got a new image by it */
	char *findings; /* owned; why it failed, or NULL */
};

/** An empty value. */
#define RELOAD_NONE                                                                                \
	{                                                                                          \
		.changes = LOOP_SOURCE_NONE, .quiet = LOOP_SOURCE_NONE, .maker = LOOP_SOURCE_NONE, \
		.late = LOOP_SOURCE_NONE, .step = LOOP_SOURCE_NONE, .file = -1                     \
	}

/** Watch the folders of policies. Returns 0 or -errno with an error. */
int reload_open(struct daemon *daemon, struct diag_list *diags);

/** Watch them again: one may have been missing or replaced. */
void reload_watch(struct daemon *daemon);

/**
 * Reload one agent, or all (NULL), for @client, who waits for the answer to its call @id. Returns 0;
 * -EBUSY: too many wait; or -ENOMEM.
 */
int reload_ask(struct daemon *daemon, const struct agent_entry *only, struct client *client,
	       const json_t *id);

/** The same for all, where nobody waits for the answer: what went wrong is logged. */
void reload_quietly(struct daemon *daemon, const char *cause);

/** @client is no more: nobody waits. */
void reload_forget_client(struct daemon *daemon, const struct client *client);

/** End what is under way, published by all or none, and free what it owns. */
void reload_close(struct daemon *daemon);

#endif
