/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What /proc says of a process: whose it is, when it started, which cgroup it is in. A number may be
 * another process's a moment later: who asks holds a pidfd and looks at it afterwards.
 */
#ifndef PICKET_DAEMON_PROC_H
#define PICKET_DAEMON_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

/** Whose a process is. */
struct proc_facts {
	uid_t uids[3]; /* real, effective, saved */
	pid_t parent;
	bool filtered; /* it has a seccomp filter */
};

/** Read them. Returns 0 or -ESRCH. */
int proc_read(pid_t pid, struct proc_facts *ret_facts);

/** True when all three user ids are @uid. */
bool proc_is_of(const struct proc_facts *facts, uid_t uid);

/** When it started, in clock ticks since boot. Returns 0 or -ESRCH. */
int proc_start(pid_t pid, __u64 *ret_start);

/** The process behind a pidfd. Returns its number, -ESRCH when it has ended, or -EBADF. */
pid_t proc_of_pidfd(int pidfd);

/** True while the process behind @pidfd has not ended. */
bool proc_is_alive(int pidfd);

/**
 * A pidfd of the process @pid that started at @start: proof that it is still that one. Returns it
 * (caller closes) or -ESRCH.
 */
int proc_open(pid_t pid, __u64 start);

/** The path of its cgroup2 cgroup from the root that we see, malloc'ed. Returns 0 or -ESRCH. */
int proc_cgroup(pid_t pid, char **ret_path);

/**
 * Does @match say yes to the id of the cgroup of @pid or of one around it, but for the root of the
 * tree, which is mounted at @root? True when that cannot be told.
 */
bool proc_in_cgroup(const char *root, pid_t pid, bool (*match)(void *context, __u64 cgroup),
		    void *context);

/** How many processes are in the cgroup open as @fd and below. */
size_t proc_count(int fd);

/**
 * Are all processes of the cgroup open as @fd descendants of @pid, or @pid? Cgroups below it are not
 * looked into.
 */
bool proc_owns_cgroup(int fd, pid_t pid);

#endif
