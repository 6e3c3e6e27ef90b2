/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots: which are free is asked of the kernel each time, for another process may have used them.
 * A slot is free when no cgroup has it. Whether it has an image is not asked: some kernels (6.1) wait
 * for all programs at each such question.
 */
#include "engine/hub_parts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/hub_asks.h"
#include "engine/learned.h"
#include "engine/publish.h"

static int mark(void *context, const struct hub_agent *agent)
{
	bool *used = context;

	if (agent->slot < PK_AGENTS_MAX)
		used[agent->slot] = true;
	return 0;
}

int hub_slot_find(struct hub *hub, __u32 *ret_slot, struct diag_list *diags)
{
	const __u32 slots = HUB_CANARY_SLOT - 1;
	CLEAN_FREE bool *used = calloc(PK_AGENTS_MAX, sizeof(*used));
	__u32 start = 0;
	int r = used ? hub_agents(hub, mark, used) : -ENOMEM;

	/* Somewhere: who carries the label of an agent that is long gone finds no other one there. */
	if (r == 0 && getrandom(&start, sizeof(start), 0) != sizeof(start))
		r = -errno;
	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot find a slot for the agent: %s",
			       strerror(-r));
		return r;
	}
	for (__u32 i = 0; i < slots; i++) {
		__u32 slot = 1 + (start % slots + i) % slots;

		if (used[slot])
			continue;
		*ret_slot = slot;
		return 0;
	}
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "there are %u agents, and no room for more",
			   slots),
		  "stop some first");
	return -ENOSPC;
}

int hub_slot_clear(struct hub *hub, __u32 slot)
{
	const struct picket_bpf *skel = hub->loader.skel;
	const struct pk_agent none = { 0 };
	int r;

	if (bpf_map_delete_elem(bpf_map__fd(skel->maps.pk_refused_map), &slot) && errno != ENOENT)
		return -errno;
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.pk_agents), &slot, &none, BPF_ANY))
		return -errno;
	r = learned_forget(&hub->loader, slot);
	return r ? r : hub_asks_clear(hub, slot);
}

int hub_agent_publish(struct hub *hub, __u32 slot, int cgroup_fd, const struct policy_image *image,
		      struct diag_list *diags)
{
	struct agent agent = { .slot = slot };
	int r = hub_slot_clear(hub, slot);

	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot clear a slot for the agent: %s",
			       strerror(-r));
		return r;
	}
	return agent_create(&hub->loader, &agent, cgroup_fd, image, diags);
}

int hub_agent_withdraw(struct hub *hub, const struct hub_agent *agent)
{
	struct agent gone = { .slot = agent->slot, .cgroup = agent->cgroup };
	int r = hub_slot_clear(hub, agent->slot);

	/* The entry goes last: by it a process that takes over finds what is left. */
	if (r == 0)
		r = publish_clear(bpf_map__fd(hub->loader.skel->maps.pk_images), agent->slot);
	return r ? r : agent_remove(&hub->loader, &gone);
}
