/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An agent in the kernel: a slot with an image, and the cgroup whose processes it judges. The image
 * is there before the first process can be looked up.
 */
#ifndef PICKET_ENGINE_AGENT_H
#define PICKET_ENGINE_AGENT_H

#include "engine/loader.h"
#include "policy/image.h"

/** One agent; slot 0 = none. */
struct agent {
	__u32 slot;
	__u64 cgroup; /* id */
};

/**
 * Make the cgroup open as @cgroup_fd the agent of slot @agent->slot, judged by @image. Returns 0
 * (caller ends it with agent_remove()), or -errno with an error and @agent empty.
 */
int agent_create(struct loader *loader, struct agent *agent, int cgroup_fd,
		 const struct policy_image *image, struct diag_list *diags);

/**
 * Forget the agent: there must be no process of it. Tasks that carry its label would be denied
 * everything. Accepts an empty agent; resets it. Returns 0 or -errno.
 */
int agent_remove(struct loader *loader, struct agent *agent);

/** Read what the kernel counted for @slot. Returns 0 or -errno. */
int agent_counts(const struct loader *loader, __u32 slot, __u64 ret_counts[PK_COUNT__MAX]);

#endif
