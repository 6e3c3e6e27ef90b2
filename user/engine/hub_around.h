/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which cgroups may become agents, seen from where they lie in the tree; and finding one by its id.
 */
#ifndef PICKET_ENGINE_HUB_AROUND_H
#define PICKET_ENGINE_HUB_AROUND_H

#include "engine/hub.h"

/**
 * May the cgroup open as @cgroup_fd become an agent? Stores its id. Returns 0; -EEXIST when it is, is
 * in or is around an agent's or picket's own; -EINVAL when it is no cgroup2 or around our own process;
 * or another -errno; with an error.
 */
int hub_check_around(const struct hub *hub, int cgroup_fd, __u64 *ret_id, struct diag_list *diags);

/** Open the cgroup with this id (caller closes). The descriptor, -ESTALE when it is gone, -errno. */
int hub_cgroup_by_id(const struct hub *hub, __u64 id);

#endif
