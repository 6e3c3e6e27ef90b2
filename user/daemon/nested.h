/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Agents of agents. A process of an agent whose policy has the key `nested` may start agents by the
 * policies named there, put processes of its own agent into them, and end them. Such an agent is judged
 * by all layers of the one around it and by its own: it can do nothing that the one around it cannot.
 * It ends before the one around it does.
 */
#ifndef PICKET_DAEMON_NESTED_H
#define PICKET_DAEMON_NESTED_H

#include "daemon/daemon.h"

/** Most agents inside of one that was started from outside, all generations together. */
#define NESTED_MAX 64

/** The agent that process @pid is in, or NULL; NULL too when that cannot be told. */
struct agent_entry *nested_agent_of(const struct daemon *daemon, pid_t pid);

/** PEER_NESTED or PEER_CONFINED, for a peer that is confined. */
enum peer_role nested_role(const struct daemon *daemon, const struct peer *peer);

/** Did a process of the agent that @peer is in now start @entry? */
bool nested_owns(const struct daemon *daemon, const struct peer *peer,
		 const struct agent_entry *entry);

/**
 * May @peer, a confined process, start an agent by @policy? True with the agent that it is in; false:
 * answered.
 */
bool nested_check(const struct daemon *daemon, const struct peer *peer, const char *policy,
		  struct agent_entry **ret_around, struct control_answer *answer);

/** Make @record one of an agent inside of @around. */
void nested_tie(const struct agent_entry *around, struct agent_record *record);

/**
 * Does the filter of system calls that processes of the agent around have do for @image too? Returns 1;
 * 0: there is none, nor an agent around; -EINVAL with an error: there is one, and it refuses others.
 */
int nested_filter(const struct daemon *daemon, const struct agent_record *record,
		  const struct policy_image *image, struct diag_list *diags);

/** Is @record one of an agent inside of @entry, or inside of one inside of it? */
bool nested_in(const struct agent_record *record, const struct agent_entry *entry);

/** Is there an agent inside of @entry? */
bool nested_any(const struct daemon *daemon, const struct agent_entry *entry);

/** End all that are inside of @entry. */
void nested_end(struct daemon *daemon, const struct agent_entry *entry);

/** After taking over: find the agents around again, and end those whose is gone. */
void nested_adopt(struct daemon *daemon);

#endif
