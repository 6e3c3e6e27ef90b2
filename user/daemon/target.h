/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which cgroup `agent.attach` means. Never one that the daemon or the caller is in: who confines
 * himself can set nothing right any more.
 */
#ifndef PICKET_DAEMON_TARGET_H
#define PICKET_DAEMON_TARGET_H

#include "daemon/daemon.h"

/** How it is told: exactly one of cgroup, unit, container and pid. */
struct target_wish {
	const char *cgroup; /* path, with or without the mount point */
	const char *unit; /* of the service manager */
	const char *container; /* target_container.h */
	pid_t pid; /* 0 = none */
	pid_t caller;
};

/** A cgroup. target_reset() frees. */
struct target {
	int fd; /* -1 = none */
	char *path; /* owned; below the root of the tree */
};

/** An empty value. */
#define TARGET_NONE                                                                                \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/**
 * Open it. Returns 0 (caller resets); -ENOENT or -ESRCH: there is none; -EPERM: not that one;
 * -EEXIST: it could be several; or another -errno; with an error.
 */
int target_open(const struct daemon *daemon, const struct target_wish *wish,
		struct target *ret_target, struct diag_list *diags);

/** Close and free. */
void target_reset(struct target *target);

#endif
