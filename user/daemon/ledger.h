/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What picketd writes into its audit trail (audit/trail.h): who answered what, agents that begin and end,
 * policies that change, commands of operators, losses, its own start and end. Answers, and the trail's
 * head at each checkpoint, it also tells sinks and subscribers. Records, by `what`, with their keys:
 *
 *   start       version, tier, engine ("new", "adopted", "upgraded"), found: how the daemon before it ended
 *               ("nothing", "stopped", "killed"); beyond: records of that one behind the last synced one
 *   stop
 *   agent-start, agent-attach, agent-adopt   agent, name, kind, policy, digest, mode, uid and pid of the
 *               owner, cgroup
 *   agent-end, agent-detach                  the same
 *   reload      agent, name, policy, old, new (digests of the images)
 *   reload-failed   findings
 *   command     command (the method), by {uid, pid, role}, agent where it is about one
 *   approved, auto, refused, expired, revoked, lapsed, ended, vote    by, and grant or request
 *   loss        class, where, agent or sink, count (since the last such record), total
 *
 * Answers hold only once they are on the disk; the others are there within a second.
 */
#ifndef PICKET_DAEMON_LEDGER_H
#define PICKET_DAEMON_LEDGER_H

#include <jansson.h>

#include "audit/trail.h"
#include "base/diag.h"
#include "control/server.h"
#include "daemon/loop.h"
#include "daemon/registry.h"

struct daemon;

/** The trail of a daemon. */
struct ledger {
	struct trail trail;
	struct loop_source sync; /* a timer: something is to be synced */
	json_t *losses; /* owned; totals that were told last, by what they are of */
	time_t looked; /* CLOCK_MONOTONIC: the last look at losses */
	bool armed; /* the timer runs */
	bool begun; /* `start` was written, or tried */
};

/** An empty value. */
#define LEDGER_NONE                                                                                \
	{                                                                                          \
		.trail = TRAIL_NONE, .sync = LOOP_SOURCE_NONE                                      \
	}

/** Open the trail and say in it that the daemon starts. 0, or -errno with an error: the key is none. */
int ledger_open(struct daemon *daemon, struct diag_list *diags);

/** The settings were read again. */
void ledger_reload(struct daemon *daemon);

/** Every few seconds: what could not be written is tried again, losses are told, checkpoints made. */
void ledger_check(struct daemon *daemon);

/** Say that the daemon ends, and close. */
void ledger_close(struct daemon *daemon);

/**
 * An answer: @what with @details (borrowed). It is on the disk when this returns 0; else -errno, and it
 * is none.
 */
int ledger_answer(struct daemon *daemon, const struct agent_entry *entry, const char *what,
		  const json_t *details);

/** The agent began, ended ...: @op is "start", "attach", "adopt", "end" or "detach". */
void ledger_agent(struct daemon *daemon, const struct agent_entry *entry, const char *op);

/** The agent has another image: digests of the one before and of this one. */
void ledger_reloaded(struct daemon *daemon, const struct agent_entry *entry, const char *old);

/** No agent has another image: why. */
void ledger_reload_failed(struct daemon *daemon, const char *findings);

/** A command of an operator that is taken; @entry: the agent it is about, or NULL. */
void ledger_command(struct daemon *daemon, const struct call *call, const char *command,
		    const struct agent_entry *entry);

#endif
