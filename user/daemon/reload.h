/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * New policies for agents that run: all are compiled first, then all are published, or none. Asked for
 * by a method, by SIGHUP, or by a change in the folders of policies, after a moment of quiet.
 */
#ifndef PICKET_DAEMON_RELOAD_H
#define PICKET_DAEMON_RELOAD_H

#include <jansson.h>
#include <time.h>

#include "base/diag.h"
#include "daemon/loop.h"

struct daemon;
struct agent_entry;

/** Quiet after a change before it is taken, and the longest that changes can put it off. */
#define RELOAD_QUIET_MS 300
#define RELOAD_PATIENCE_MS 3000

/** What is watched, and how the last one went. */
struct reload {
	struct loop_source changes; /* inotify */
	struct loop_source quiet; /* timer */
	struct timespec first; /* change that was not taken yet; 0 = none */
	time_t at; /* of the last reload; 0 = none yet */
	bool ok;
	unsigned int ms; /* that nobody else was served */
	size_t reloaded; /* agents that got a new image by it */
	char *findings; /* owned; why it failed, or NULL */
};

/** An empty value. */
#define RELOAD_NONE                                                                                \
	{                                                                                          \
		.changes = LOOP_SOURCE_NONE, .quiet = LOOP_SOURCE_NONE                             \
	}

/** Watch the folders of policies. Returns 0 or -errno with an error. */
int reload_open(struct daemon *daemon, struct diag_list *diags);

/** Watch them again: one may have been missing or replaced. */
void reload_watch(struct daemon *daemon);

/** Reload one agent, or all (NULL). Stores what policy.reload answers; 0 or -ENOMEM. */
int reload_run(struct daemon *daemon, struct agent_entry *only, json_t **ret_result);

/** The same where nobody waits for the answer: what went wrong is logged. */
void reload_quietly(struct daemon *daemon, const char *cause);

/** Free what it owns. */
void reload_close(struct daemon *daemon);

#endif
