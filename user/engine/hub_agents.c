/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Agents whose cgroup the hub made. The kernel's maps are what there is: an agent that is in them is
 * one, whoever put it there.
 */
#include "engine/hub_parts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/cgroup.h"
#include "engine/hub_around.h"
#include "engine/own.h"
#include "engine/publish.h"
#include "engine/session.h"
#include "telemetry/names.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DEATH_MS 5000

void hub_agent_name(__u32 slot, char ret_name[static 32])
{
	(void)snprintf(ret_name, 32, HUB_AGENT_PREFIX "%u", slot);
}

static int fail(struct diag_list *diags, int error, const char *what, const char *name)
{
	(void)diag_add(diags, DIAG_ERROR, NULL, "cannot %s '%s': %s", what, name, strerror(-error));
	return error;
}

static int note_any(void *context, const struct hub_agent *agent)
{
	(void)context;
	(void)agent;
	return -EBUSY;
}

/*
 * Files of agents that ended stay in the table: other agents may have the same, and who had which is
 * not known to a process that took over. When it is full and there is no agent, these are taken out;
 * folders and secrets stay.
 */
static int forget_files(struct hub *hub)
{
	int fd = bpf_map__fd(hub->loader.skel->maps.pk_own);
	struct own_file file, next;
	int r = hub_agents(hub, note_any, NULL);
	int end = r == 0 ? bpf_map_get_next_key(fd, NULL, &next) : -1;

	while (r == 0 && end == 0) {
		__u32 noted = 0;

		file = next;
		end = bpf_map_get_next_key(fd, &file, &next);
		(void)bpf_map_lookup_elem(fd, &file, &noted);
		if (!(noted & PK_OWN_FEED) && noted != PK_OWN_FILE)
			continue;
		if (bpf_map_delete_elem(fd, &file) && errno != ENOENT)
			r = -errno;
	}
	return r;
}

int hub_protect(struct hub *hub, char *const *files, size_t file_count, struct diag_list *diags)
{
	int fd = bpf_map__fd(hub->loader.skel->maps.pk_own);
	struct diag_list first = { 0 };
	int r = own_publish(fd, files, file_count, &first);

	diag_list_reset(&first);
	if (r == 0)
		return 0;
	if (r == -E2BIG)
		(void)forget_files(hub);
	return own_publish(fd, files, file_count, diags);
}

int hub_check_tier(const struct hub *hub, const struct policy_image *image, struct diag_list *diags)
{
	const char *key = hub->tier == PK_TIER_NETWORK ? session_needs_hooks(image) : NULL;

	if (!key)
		return 0;
	diag_hint(diag_add(diags, DIAG_ERROR, NULL,
			   "the policy has %s, which tier '%s' cannot enforce", key,
			   names_tier(hub->tier)),
		  "run 'picket doctor' to see why there is no stronger tier");
	return -ENOTSUP;
}

/* NOLINTNEXTLINE(readability-function-size): files are a pointer and a number */
int hub_agent_create(struct hub *hub, const struct policy_image *image, char *const *files,
		     size_t file_count, struct hub_agent *ret_agent, struct diag_list *diags)
{
	struct hub_agent agent = { .own = true };
	CLEAN_FD int cgroup = -1;
	char name[32];
	int r = hub_check_tier(hub, image, diags);

	if (r == 0)
		r = hub_protect(hub, files, file_count, diags);
	if (r == 0)
		r = hub_slot_find(hub, &agent.slot, diags);
	if (r)
		return r;
	hub_agent_name(agent.slot, name);
	r = cgroup_create(hub->cgroups, name, &cgroup);
	if (r)
		return fail(diags, r, "create the cgroup", name);
	r = cgroup_id(cgroup, &agent.cgroup);
	if (r == 0)
		r = hub_agent_publish(hub, agent.slot, cgroup, image, diags);
	if (r) {
		(void)unlinkat(hub->cgroups, name, AT_REMOVEDIR);
		return r;
	}
	*ret_agent = agent;
	return 0;
}

int hub_agent_cgroup(const struct hub *hub, const struct hub_agent *agent)
{
	CLEAN_FD int fd = -1;
	char name[32];
	__u64 id = 0;

	if (!agent->own)
		return hub_cgroup_by_id(hub, agent->cgroup);
	hub_agent_name(agent->slot, name);
	fd = openat(hub->cgroups, name, OPEN_DIR);
	if (fd < 0)
		return -errno;
	/* Another one of the same name is another agent's. */
	if (cgroup_id(fd, &id) || id != agent->cgroup)
		return -ESTALE;
	return TAKE_FD(fd);
}

int hub_agent_join(struct hub *hub, const struct hub_agent *agent, pid_t pid)
{
	CLEAN_FD int fd = hub_agent_cgroup(hub, agent);

	if (fd < 0)
		return fd;
	return agent->own ? cgroup_join(fd, pid) : -EOPNOTSUPP;
}

int hub_agent_replace(struct hub *hub, const struct hub_agent *agent,
		      const struct policy_image *image, struct diag_list *diags)
{
	int r = hub_check_tier(hub, image, diags);

	if (r == 0 && !agent->own)
		r = hub_refuse_calls(hub, agent->slot, image, diags);
	if (r)
		return r;
	return publish_image(bpf_map__fd(hub->loader.skel->maps.pk_images), agent->slot, image,
			     diags);
}

int hub_agent_kill(struct hub *hub, const struct hub_agent *agent)
{
	CLEAN_FD int fd = -1;
	int r;

	if (!agent->own)
		return -EOPNOTSUPP;
	fd = hub_agent_cgroup(hub, agent);
	if (fd < 0)
		return fd == -ENOENT || fd == -ESTALE ? 0 : fd;
	r = cgroup_kill(fd);
	/* Somebody may have removed the cgroup, which needs that it was empty. */
	if (r == -ENODEV || r == -ENOENT)
		return 0;
	return r ? r : cgroup_wait_empty(fd, DEATH_MS);
}

/* Remove the agent's own cgroup, whose processes are gone. */
static int remove_cgroup(struct hub *hub, const struct hub_agent *agent)
{
	CLEAN_FD int fd = hub_agent_cgroup(hub, agent);
	char name[32];
	int r;

	if (fd < 0)
		return fd == -ENOENT || fd == -ESTALE ? 0 : fd;
	r = cgroup_wait_empty(fd, 0);
	if (r)
		return r == -ETIMEDOUT ? -EBUSY : r;
	hub_agent_name(agent->slot, name);
	return cgroup_remove_tree(hub->cgroups, name);
}

static int remove_own(struct hub *hub, const struct hub_agent *agent, struct diag_list *diags)
{
	char name[32];
	int r;

	hub_agent_name(agent->slot, name);
	/* While it is there it is judged: the cgroup first. */
	r = remove_cgroup(hub, agent);
	if (r)
		return fail(diags, r, "remove the cgroup", name);
	r = hub_agent_withdraw(hub, agent);
	return r ? fail(diags, r, "take out of the kernel's maps the agent", name) : 0;
}

int hub_agent_remove(struct hub *hub, struct hub_agent *agent, struct diag_list *diags)
{
	int r;

	if (!agent->slot)
		return 0;
	r = agent->own ? remove_own(hub, agent, diags) : hub_attached_remove(hub, agent, diags);
	if (r == 0)
		*agent = (struct hub_agent){ 0 };
	return r;
}

/** Agents as they are found. */
struct found {
	struct hub_agent *agents; /* owned */
	size_t count;
};

static int by_slot(const void *a, const void *b)
{
	const struct hub_agent *x = a;
	const struct hub_agent *y = b;

	return (x->slot > y->slot) - (x->slot < y->slot);
}

static bool is_own(const struct hub *hub, __u32 slot)
{
	char name[32];

	hub_agent_name(slot, name);
	return faccessat(hub->pins, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

/* All entries of the cgroups map, but the proof's. */
static int find_agents(const struct hub *hub, struct found *ret_found)
{
	int fd = bpf_map__fd(hub->loader.skel->maps.pk_cgroups);
	CLEAN_FREE struct hub_agent *agents = calloc(PK_AGENTS_MAX, sizeof(*agents));
	size_t count = 0;
	const __u64 *last = NULL;
	__u64 at;
	__u64 next;

	if (!agents)
		return -ENOMEM;
	while (count < PK_AGENTS_MAX && bpf_map_get_next_key(fd, last, &next) == 0) {
		__u32 slot = 0;

		at = next;
		last = &at;
		if (bpf_map_lookup_elem(fd, &at, &slot) || slot == HUB_CANARY_SLOT)
			continue;
		agents[count++] = (struct hub_agent){
			.slot = slot,
			.cgroup = at,
			.own = is_own(hub, slot),
		};
	}
	if (count)
		qsort(agents, count, sizeof(*agents), by_slot);
	ret_found->agents = TAKE_PTR(agents);
	ret_found->count = count;
	return 0;
}

int hub_agents(const struct hub *hub, hub_agent_fn fn, void *context)
{
	struct found found = { 0 };
	int r = find_agents(hub, &found);

	for (size_t i = 0; r == 0 && i < found.count; i++)
		r = fn(context, &found.agents[i]);
	free(found.agents);
	return r;
}

static int read_pages(int fd, __u32 pages, struct policy_image *image)
{
	for (__u32 page = 0; page < pages; page++) {
		if (bpf_map_lookup_elem(fd, &page, image->bytes + (size_t)page * PK_PAGE_SIZE))
			return -errno;
	}
	return 0;
}

int hub_agent_image(const struct hub *hub, const struct hub_agent *agent,
		    struct policy_image *ret_image)
{
	CLEAN(image_reset) struct policy_image image = { 0 };
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	CLEAN_FD int fd = -1;
	__u32 id = 0;
	int r;

	if (bpf_map_lookup_elem(bpf_map__fd(hub->loader.skel->maps.pk_images), &agent->slot, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.max_entries > PK_PAGES_MAX || info.value_size != PK_PAGE_SIZE)
		return -EBADF;
	image.size = (size_t)info.max_entries * PK_PAGE_SIZE;
	image.bytes = calloc(info.max_entries, PK_PAGE_SIZE);
	r = image.bytes ? read_pages(fd, info.max_entries, &image) : -ENOMEM;
	if (r == 0)
		r = image_validate(image.bytes, image.size, NULL);
	if (r)
		return r;
	*ret_image = image;
	image = (struct policy_image){ 0 };
	return 0;
}

struct check {
	struct hub *hub;
	struct diag_list *diags;
};

/* Was the attaching or removing of an attached agent cut short? */
static bool is_half(const struct hub *hub, const struct hub_agent *agent)
{
	CLEAN_FD int fd = -1;
	char folder[32];

	if (agent->own)
		return false;
	hub_agent_name(agent->slot, folder);
	fd = openat(hub->pins, folder, OPEN_DIR);
	return fd < 0 || !hub_set_is_whole(fd);
}

static int check_agent(void *context, const struct hub_agent *agent)
{
	struct check *check = context;
	CLEAN(image_reset) struct policy_image image = { 0 };
	char folder[32];
	CLEAN_FD int cgroup = hub_agent_cgroup(check->hub, agent);
	int r = 0;

	/* Its removal was cut short. */
	if (cgroup == -ENOENT || cgroup == -ESTALE || is_half(check->hub, agent))
		return 0;
	r = hub_agent_image(check->hub, agent, &image);
	if (r)
		return hub_damaged(check->hub, check->diags, "the policy of agent %u: %s",
				   agent->slot, strerror(-r));
	if (agent->own)
		return 0;
	hub_agent_name(agent->slot, folder);
	return hub_check_links(check->hub, folder, agent->cgroup, check->diags);
}

int hub_agents_check(struct hub *hub, struct diag_list *diags)
{
	struct check check = { .hub = hub, .diags = diags };

	return hub_agents(hub, check_agent, &check);
}

/*
 * Take agents out that are half made or whose cgroup is gone. Of an attached one, the folder may be gone
 * already: whatever it was, its tasks are freed.
 */
static int sweep_agent(void *context, const struct hub_agent *agent)
{
	struct check *check = context;
	CLEAN_FD int fd = hub_agent_cgroup(check->hub, agent);
	bool gone = fd == -ENOENT || fd == -ESTALE;

	return gone || is_half(check->hub, agent) ?
		       hub_attached_remove(check->hub, agent, check->diags) :
		       0;
}

static int is_slot(void *context, const struct hub_agent *agent)
{
	return agent->slot == *(const __u32 *)context ? -EBUSY : 0;
}

/* The slot in the name of a cgroup or folder; 0: another name, or the slot is an agent's. */
static __u32 unused_slot(const struct hub *hub, const char *name)
{
	size_t length = strlen(HUB_AGENT_PREFIX);
	__u32 slot;

	if (strncmp(name, HUB_AGENT_PREFIX, length) != 0)
		return 0;
	slot = (__u32)strtoul(name + length, NULL, 10);
	return slot < HUB_CANARY_SLOT && hub_agents(hub, is_slot, &slot) == 0 ? slot : 0;
}

/* End what is left of an attached agent that no cgroup has. */
static int sweep_folder(void *context, const char *name)
{
	struct check *check = context;
	const struct hub_agent agent = { .slot = unused_slot(check->hub, name) };

	return agent.slot ? hub_attached_remove(check->hub, &agent, check->diags) : 0;
}

/* Remove a cgroup of ours that is in no slot: nobody was in it yet, or any more. */
static int sweep_cgroup(void *context, const char *name)
{
	struct check *check = context;
	struct hub *hub = check->hub;
	__u32 slot = unused_slot(hub, name);
	CLEAN_FD int fd = -1;
	int r;

	if (!slot)
		return 0;
	fd = openat(hub->cgroups, name, OPEN_DIR);
	r = fd < 0 ? -errno : cgroup_kill(fd);
	if (r == 0)
		r = cgroup_wait_empty(fd, DEATH_MS);
	if (r == 0)
		r = publish_clear(bpf_map__fd(hub->loader.skel->maps.pk_images), slot);
	return r ? r : cgroup_remove_tree(hub->cgroups, name);
}

int hub_agents_sweep(struct hub *hub, struct diag_list *diags)
{
	struct check check = { .hub = hub, .diags = diags };
	int r = hub_agents(hub, sweep_agent, &check);

	if (r == 0)
		r = hub_each_entry(hub->pins, ".", sweep_folder, &check);
	if (r == 0)
		r = hub_each_entry(hub->cgroups, ".", sweep_cgroup, &check);
	return r ? fail(diags, r, "clear away what was left in", hub->cgroup_path) : 0;
}
