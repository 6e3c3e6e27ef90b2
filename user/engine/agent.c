/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order is everything here: image, then cgroup entry, then the generation that makes tasks be looked
 * up again; the other way round at the end.
 */
#include "engine/agent.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include <picket.skel.h>

#include "engine/cgroup.h"
#include "engine/publish.h"

static void raise_generation(struct loader *loader)
{
	__atomic_fetch_add(&loader->skel->bss->pk_generation, 1, __ATOMIC_SEQ_CST);
}

static int fail(struct diag_list *diags, int error, const char *what)
{
	(void)diag_add(diags, DIAG_ERROR, NULL, "cannot %s: %s", what, strerror(-error));
	return error;
}

static int create(struct loader *loader, struct agent *agent, int cgroup_fd,
		  const struct policy_image *image, struct diag_list *diags)
{
	int images = bpf_map__fd(loader->skel->maps.pk_images);
	int cgroups = bpf_map__fd(loader->skel->maps.pk_cgroups);
	int r = cgroup_id(cgroup_fd, &agent->cgroup);

	if (r)
		return fail(diags, r, "tell the id of the agent's cgroup");
	r = publish_image(images, agent->slot, image, diags);
	if (r)
		return r;
	if (bpf_map_update_elem(cgroups, &agent->cgroup, &agent->slot, BPF_NOEXIST)) {
		r = -errno;
		(void)publish_clear(images, agent->slot);
		return fail(diags, r, "make the agent's cgroup known to the kernel programs");
	}
	raise_generation(loader);
	return 0;
}

int agent_create(struct loader *loader, struct agent *agent, int cgroup_fd,
		 const struct policy_image *image, struct diag_list *diags)
{
	int r = create(loader, agent, cgroup_fd, image, diags);

	if (r)
		*agent = (struct agent){ 0 };
	return r;
}

int agent_remove(struct loader *loader, struct agent *agent)
{
	int r = 0;

	if (!agent->slot)
		return 0;
	if (bpf_map_delete_elem(bpf_map__fd(loader->skel->maps.pk_cgroups), &agent->cgroup) &&
	    errno != ENOENT)
		r = -errno;
	raise_generation(loader);
	if (r == 0)
		r = publish_clear(bpf_map__fd(loader->skel->maps.pk_images), agent->slot);
	*agent = (struct agent){ 0 };
	return r;
}

int agent_counts(const struct loader *loader, __u32 slot, __u64 ret_counts[PK_COUNT__MAX])
{
	struct pk_agent state;

	if (bpf_map_lookup_elem(bpf_map__fd(loader->skel->maps.pk_agents), &slot, &state))
		return -errno;
	memcpy(ret_counts, state.counts, sizeof(state.counts));
	return 0;
}
