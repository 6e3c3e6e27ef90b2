/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of agents: started, joined, attached, taken over, ended.
 *
 * An agent of kind run lives as long as its owner's process; when that ends, what is left of the
 * agent is killed and it is removed. An attached one lives until it is detached or its cgroup is gone.
 */
#ifndef PICKET_DAEMON_AGENTS_H
#define PICKET_DAEMON_AGENTS_H

#include "daemon/daemon.h"

/** What an agent is made of; all borrowed but what is taken, see agents_start(). */
struct agent_plan {
	struct agent_record *record; /* taken over: name, policy ...; not id, slot, cgroup */
	struct compiled *compiled; /* taken over: the image and the path */
	int cgroup; /* of an attached agent; -1 = one of its own */
	int owner; /* pidfd of the owner's process, copied; -1 = none */
};

/**
 * Make an agent. Returns 0 with the entry, which the registry owns; -EBUSY: the user has too many;
 * or another -errno with an error; then nothing is left.
 */
int agents_start(struct daemon *daemon, struct agent_plan *plan, struct agent_entry **ret_entry,
		 struct diag_list *diags);

/** What comes with agent.join. */
struct agent_guest {
	int pidfd; /* of the process */
	int listener; /* of its refused system calls, or -1; taken over in case of success */
	uid_t uid; /* whose it has to be; 0 = anybody's */
	bool filter; /* found out: it must have one */
};

/**
 * Put a process into the agent. Returns 0 or -errno with an error: -EALREADY when it has one;
 * -EPERM: not the caller's, or confined already; -ESRCH: it has ended; -EINVAL: filter or listener
 * missing; then the agent is as it was, but for -ESRCH, after which it can only be stopped.
 */
int agents_join(struct daemon *daemon, struct agent_entry *entry, struct agent_guest *guest,
		struct diag_list *diags);

/**
 * Kill what is left of the agent, and remove it when all of it is gone. @client (may be NULL) gets the
 * answer to its call @id (borrowed) then. Returns 0; -EALREADY: somebody else waits for it.
 */
int agents_end(struct daemon *daemon, struct agent_entry *entry, struct client *client,
	       const json_t *id);

/** Free the processes of an attached agent. Returns 0 or -errno with an error. */
int agents_detach(struct daemon *daemon, struct agent_entry *entry, struct diag_list *diags);

/** Counts of the kernel and the summary: what agent.stop answers. NULL: no memory. */
json_t *agents_report(struct daemon *daemon, const struct agent_entry *entry, bool colour);

/**
 * Judge by another image from now on; @compiled becomes what was before. Returns 0, or -errno with an
 * error, nothing having changed.
 */
int agents_replace(struct daemon *daemon, struct agent_entry *entry, struct compiled *compiled,
		   struct diag_list *diags);

/** Take over what is in the kernel. Returns 0 or -errno with an error. */
int agents_adopt(struct daemon *daemon, struct diag_list *diags);

/** Say who is called back about @entry. */
void agents_bind(struct daemon *daemon, struct agent_entry *entry);

/** End the agent with its owner's process, open as @pidfd (-1: never); copied. 0 or -errno. */
int agents_watch_owner(struct daemon *daemon, struct agent_entry *entry, int pidfd);

/** Remove the agent when its last process is gone. Returns 0 or -errno. */
int agents_watch_cgroup(struct daemon *daemon, struct agent_entry *entry);

/** A client is gone: nobody waits for its answers any more. */
void agents_forget_client(struct daemon *daemon, const struct client *client);

/** Remove attached agents whose cgroup is gone. */
void agents_check(struct daemon *daemon);

#endif
