/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a reload is to change: compiled, compared and checked by a process of its own, because that takes
 * long and picketd's loop is not to wait for it. The process writes a file, picketd reads it; nothing but
 * that file comes back.
 */
#ifndef PICKET_DAEMON_PLAN_H
#define PICKET_DAEMON_PLAN_H

#include <jansson.h>
#include <stdio.h>

#include "daemon/policies.h"
#include "daemon/registry.h"

struct daemon;

/** One agent's change. */
struct plan_change {
	char agent[AGENT_ID_SIZE];
	const struct compiled *made; /* the plan's */
	char *diff; /* owned */
	struct compiled before; /* owned; once it was made: what the agent had */
	bool done;
};

/** All of a reload; plan_reset() frees. */
struct plan {
	const void *bytes; /* mapped; the images of @made are in it */
	size_t size;
	struct compiled *made; /* owned; from equal inputs one */
	size_t made_count;
	struct plan_change *changes; /* owned */
	size_t count;
	size_t unchanged; /* agents */
	json_t *failed; /* owned; array of {agent, policy, findings} */
};

/**
 * Compile the policies of @only, and of the agents inside of it, or of all agents (NULL), and write what
 * is to change to @to. Changes nothing else. Returns 0 or -errno.
 */
int plan_write(const struct daemon *daemon, const struct agent_entry *only, FILE *to);

/**
 * Read what plan_write() wrote to the file @fd. Returns 0; -EBADMSG: it is not whole; or another -errno.
 */
int plan_read(int fd, struct plan *ret_plan);

/** Note that the agent @entry cannot have its new policy. Returns 0 or -ENOMEM. */
int plan_fail(struct plan *plan, const struct agent_entry *entry, const struct diag_list *diags,
	      int error);

/** Free what @plan owns and make it empty. */
void plan_reset(struct plan *plan);

#endif
