/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon remembers of agents over its own end: a file beside the socket. The kernel's maps
 * are the truth; this adds names, policies and owners to them, and may be lost.
 *
 * Two files change places at each save, so that a save is seen whole or not at all and the files
 * stay the same two, which are protected from agents.
 */
#ifndef PICKET_DAEMON_STATE_H
#define PICKET_DAEMON_STATE_H

#include "base/diag.h"
#include "daemon/registry.h"

/** The file, and the one that the next save is written to. */
#define STATE_FILE "state.json"
#define STATE_SPARE "state.spare"
/** Most bytes of it: every slot used, every text long. */
#define STATE_MAX (64U << 20)

/** Records read back; state_reset() frees. */
struct state {
	struct agent_record *items; /* owned */
	size_t count;
	json_t *grants; /* owned; what was saved, or NULL */
};

/** Make sure that both files exist, with mode 0600, in the folder @run_fd. Returns 0 or -errno. */
int state_prepare(int run_fd);

/** Write all agents' records, and @grants (borrowed). Returns 0 or -errno; then the file is as it was. */
int state_save(int run_fd, const struct registry *registry, json_t *grants);

/**
 * Read the records of this boot. A file that is empty, of another boot, not root's (@owner), or
 * damaged gives none; the latter two with a warning. Returns 0 or -ENOMEM.
 */
int state_load(int run_fd, uid_t owner, struct state *ret_state, struct diag_list *diags);

/** The record of an agent that is in the kernel, or NULL. */
struct agent_record *state_find(const struct state *state, __u32 slot, __u64 cgroup);

/** Free all that was not taken. */
void state_reset(struct state *state);

#endif
