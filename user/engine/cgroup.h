/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done with a cgroup2 directory: its id, killing what runs in it, waiting for that, removing
 * it. Which cgroup is whose is place.h's business.
 */
#ifndef PICKET_ENGINE_CGROUP_H
#define PICKET_ENGINE_CGROUP_H

#include <linux/types.h>
#include <sys/types.h>

/** The id by which BPF programs know the cgroup open as @fd. Returns 0 or -errno. */
int cgroup_id(int fd, __u64 *ret_id);

/** Create cgroup @name below @parent_fd and open it (caller closes). Returns 0 or -errno. */
int cgroup_create(int parent_fd, const char *name, int *ret_fd);

/** Move process @pid (0: the caller) into the cgroup open as @fd. Returns 0 or -errno. */
int cgroup_join(int fd, pid_t pid);

/** Send SIGKILL to every process of the tree of @fd, also to ones being forked. 0 or -errno. */
int cgroup_kill(int fd);

/** Wait until no process is left in the tree of @fd. Returns 0, -ETIMEDOUT or another -errno. */
int cgroup_wait_empty(int fd, int timeout_ms);

/**
 * Remove cgroup @name below @parent_fd with all cgroups in it; there must be no processes. Returns
 * 0 (also when there is no such cgroup) or -errno.
 */
int cgroup_remove_tree(int parent_fd, const char *name);

#endif
