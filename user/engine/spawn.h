/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a program inside a cgroup from its first instruction, as some user, with clean signals.
 * It knows nothing of policies; what the process runs into before its program starts is reported.
 */
#ifndef PICKET_ENGINE_SPAWN_H
#define PICKET_ENGINE_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/diag.h"
#include "engine/seccomp.h"
#include "engine/signals.h"

/** The account to run as. spawn_user_reset() frees. */
struct spawn_user {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* owned; supplementary groups */
	int group_count;
	char *name; /* owned */
	char *home; /* owned */
	char *shell; /* owned */
};

struct spawn;

/** What to start, and where. All borrowed. */
struct spawn_request {
	char *const *argv; /* NULL-terminated, at least one element */
	int cgroup_fd; /* where its program runs from the first instruction on; -1: @join's place */
	/** Instead of a cgroup_fd: puts the child, which waits, where it belongs. Returns 0 or -errno. */
	int (*join)(void *context, const struct spawn *child);
	void *context; /* first argument of join */
	const struct spawn_user *user; /* NULL: stay who we are */
	const struct signals *signals; /* restored before the program runs; NULL: left alone */
	const struct seccomp_filter *filter; /* of system calls; NULL or empty: none */
	bool keep_fds; /* the program inherits all descriptors, and not only pipes */
};

/** Where a start failed. */
enum spawn_stage {
	SPAWN_STAGE_USER = 1,
	SPAWN_STAGE_EXEC,
	SPAWN_STAGE_FDS, /* descriptors could not be closed */
	SPAWN_STAGE_FILTER, /* the filter of system calls was not taken */
	SPAWN_STAGE_JOIN, /* it could not wait for being confined */
	SPAWN_STAGE_READY, /* no failure: all that needs privileges is done */
	SPAWN_STAGE_LISTENER, /* the same, and `error` is the number the listener will have */
};

/** What spawn_failure() tells. */
struct spawn_failure {
	enum spawn_stage stage;
	int error; /* positive errno */
};

/** A started process. */
struct spawn {
	pid_t pid;
	int pidfd; /* -1 = none */
	int report; /* reading end: what went wrong before the program started; -1 = none */
	int listener; /* of the filter; -1 = none */
	struct spawn_failure early; /* read already; stage 0 = none */
};

/** An empty value. */
#define SPAWN_NONE                                                                                 \
	{                                                                                          \
		.pidfd = -1, .report = -1, .listener = -1                                          \
	}

/** Exit codes of shells for a program that cannot be started. */
#define SPAWN_EXIT_CANNOT 126
#define SPAWN_EXIT_NOT_FOUND 127

/**
 * Look up account @name (or number). Returns 0 (caller resets), -ENOENT, or another -errno, with an
 * error in @diags.
 */
int spawn_user_find(const char *name, struct spawn_user *ret_user, struct diag_list *diags);

/** Free what the account owns and make it empty. */
void spawn_user_reset(struct spawn_user *user);

/**
 * Take a session keyring of one's own: nobody's keys come along. Kernels and sandboxes without keys need
 * none. Returns 0 or -errno.
 */
int spawn_new_keyring(void);

/**
 * Create a child in the cgroup open as @cgroup_fd (-1: in ours). Returns 0 in the child, the child's
 * pid (> 0) in the parent with *@ret_pidfd (caller closes), or -errno.
 */
pid_t spawn_fork(int cgroup_fd, int *ret_pidfd);

/**
 * Start a program: its session keyring is a new one, of our descriptors it gets the standard ones and
 * pipes (request->keep_fds: all). With a filter there is a listener, which somebody must attend to.
 * Returns 0 (caller resets with spawn_reset()) or -errno with an error.
 */
int spawn_start(const struct spawn_request *request, struct spawn *ret_spawn,
		struct diag_list *diags);

/**
 * After the process has ended: did it fail before its program started? Stores how and returns true.
 */
bool spawn_failed(const struct spawn *spawn, struct spawn_failure *ret_failure);

/** Close what is open; does not end the process. */
void spawn_reset(struct spawn *spawn);

/** The exit status a shell would show for a status of wait(2). */
int spawn_exit_code(int wait_status);

#endif
