/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Agents whose cgroup is somebody else's. Order of attaching: what hooks judge, then the cgroup's own
 * programs, then labels for the tasks that are there, and last the mark that all of it is done; an
 * agent without it was never promised to anybody. Order of the end: the mark, the programs, the entry,
 * the labels, and last the image, so that who still carries a label is judged by it and not refused
 * everything.
 */
#include "engine/hub_parts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/cgroup.h"
#include "engine/hub_around.h"
#include "engine/refused_calls.h"

/* Passes over all tasks at most until no label is found to be taken back. */
#define PASSES_MAX 100

/* Links of cgroup programs that an agent has at most, and more. */
#define HELD_LINKS_MAX 32

static int fail(struct diag_list *diags, int error, const char *what)
{
	(void)diag_add(diags, DIAG_ERROR, NULL, "cannot %s: %s", what, strerror(-error));
	return error;
}

/* One pass. Returns how many labels were changed, or -errno. */
static int pass(const struct bpf_program *prog)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	CLEAN_FD int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	int r = fd < 0 ? -errno : 0;
	int bytes = 0;
	char buffer[4096];
	ssize_t got = 1;

	while (r == 0 && got > 0) {
		got = read(fd, buffer, sizeof(buffer));
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			got = 1;
		else if (got < 0)
			r = -errno;
		else
			bytes += (int)got;
	}
	(void)bpf_link__destroy(link);
	return r ? r : bytes;
}

static bool has_calls(const struct hub *hub)
{
	char path[64];
	char set[32];

	hub_set_name(hub->build, set);
	(void)snprintf(path, sizeof(path), "%s/" HUB_CALLS_LINK, set);
	return faccessat(hub->pins, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int relabel(struct hub *hub, const struct hub_build *build, struct diag_list *diags)
{
	CLEAN(loader_close) struct loader loader = { 0 };
	struct loader_request request = hub_request(hub->tier);
	int r;

	/* Without hooks only the program for system calls gives labels. */
	if (hub->tier == PK_TIER_NETWORK && !has_calls(hub))
		return 0;
	request.only = "pk_relabel";
	r = hub_load(hub, build, &request, &loader, diags);
	if (r)
		return r;
	r = 1;
	/* A child that is just being made may have a copy that the pass did not see. */
	for (int i = 0, clean = 0; i < PASSES_MAX && r >= 0 && clean < 2; i++) {
		r = pass(loader.skel->progs.pk_relabel);
		clean = r == 0 ? clean + 1 : 0;
	}
	return r < 0 ? fail(diags, r, "label the tasks of the agent") : 0;
}

int hub_relabel(struct hub *hub, __u32 release, struct diag_list *diags)
{
	const struct hub_build build = { .release = release };

	return relabel(hub, &build, diags);
}

int hub_agent_take(struct hub *hub, const struct hub_agent *agent, __u32 from,
		   struct diag_list *diags)
{
	const struct hub_build build = { .release = from, .heir = agent->slot };

	return relabel(hub, &build, diags);
}

/* Does the policy refuse system calls? */
static bool refuses_calls(const struct policy_image *image)
{
	__u32 rules = image_head(image)->part[PK_PART_RULES].size / (__u32)sizeof(struct pk_rule);

	for (__u32 i = 0; i < rules; i++) {
		const struct pk_rule *rule = image_rule(image, i);

		if (rule && rule->section == PK_SECTION_SYSCALLS &&
		    rule->verdict == PK_VERDICT_DENY)
			return true;
	}
	return false;
}

/* The program at the entry of system calls, which runs from the first agent on that needs it. */
static int start_calls(struct hub *hub, struct diag_list *diags)
{
	CLEAN(loader_close) struct loader loader = { 0 };
	struct loader_request request = hub_request(hub->tier);
	struct hub_build build = { 0 };
	CLEAN_FREE char *path = NULL;
	char set[32];
	int r;

	hub_set_name(hub->build, set);
	path = hub_path(hub, set, "", HUB_CALLS_LINK);
	if (!path)
		return -ENOMEM;
	if (has_calls(hub))
		return 0;
	request.only = "pk_sys_enter";
	r = hub_load(hub, &build, &request, &loader, diags);
	if (r == 0)
		r = loader_attach(&loader, -1, diags);
	if (r)
		return r;
	if (loader.link_count != 1 || bpf_obj_pin(bpf_link__fd(loader.links[0]), path))
		return fail(diags, errno ? -errno : -EIO, "pin the program for system calls");
	return 0;
}

int hub_refuse_calls(struct hub *hub, __u32 slot, const struct policy_image *image,
		     struct diag_list *diags)
{
	int map = bpf_map__fd(hub->loader.skel->maps.pk_refused_map);
	int r;

	if (!refuses_calls(image)) {
		if (bpf_map_delete_elem(map, &slot) && errno != ENOENT)
			return fail(diags, -errno, "forget refused system calls");
		return 0;
	}
	r = start_calls(hub, diags);
	return r ? r : refused_calls_publish(&hub->loader, slot, image, diags);
}

/** The links of the hub's cgroup, carried over to another one. */
struct carry {
	struct hub *hub;
	const char *folder; /* of the agent's pins */
	int cgroup; /* its cgroup; -1: it has the links, they get the programs */
};

/* Pin a new link of the program on the agent's cgroup. */
static int link_new(const struct carry *carry, const char *name, int prog,
		    enum bpf_attach_type type)
{
	CLEAN_FREE char *path = hub_path(carry->hub, carry->folder, "", name);
	CLEAN_FD int fd = path ? bpf_link_create(prog, carry->cgroup, type, NULL) : -1;

	if (!path)
		return -ENOMEM;
	return fd < 0 || bpf_obj_pin(fd, path) ? -errno : 0;
}

/* Let the agent's link run the program. One that is gone went with its cgroup. */
static int link_again(const struct carry *carry, const char *name, int prog)
{
	struct bpf_link_info info;
	CLEAN_FD int fd = hub_link_open(carry->hub, carry->folder, name, &info);

	if (fd < 0)
		return fd;
	return bpf_link_update(fd, prog, NULL) && errno != ENOLINK && errno != ENOENT ? -errno : 0;
}

static int carry_link(void *context, const char *name, int fd, const struct bpf_link_info *info)
{
	const struct carry *carry = context;
	CLEAN_FD int prog = -1;

	if (fd < 0)
		return fd;
	if (info->type != BPF_LINK_TYPE_CGROUP)
		return 0;
	prog = bpf_prog_get_fd_by_id(info->prog_id);
	if (prog < 0)
		return -errno;
	if (carry->cgroup < 0)
		return link_again(carry, name, prog);
	return link_new(carry, name, prog, (enum bpf_attach_type)info->cgroup.attach_type);
}

static int carry_links(struct hub *hub, __u32 slot, int cgroup)
{
	char folder[32];
	char set[32];
	struct carry carry = { .hub = hub, .folder = folder, .cgroup = cgroup };

	hub_agent_name(slot, folder);
	hub_set_name(hub->build, set);
	return hub_each_link(hub, set, carry_link, &carry);
}

static int update_agent(void *context, const struct hub_agent *agent)
{
	return agent->own ? 0 : carry_links(context, agent->slot, -1);
}

int hub_attached_update(struct hub *hub)
{
	return hub_agents(hub, update_agent, hub);
}

static int attach(struct hub *hub, struct hub_agent *agent, int cgroup_fd,
		  const struct policy_image *image, struct diag_list *diags)
{
	struct agent entry = { .slot = agent->slot };
	char folder[32];
	int r = hub_slot_clear(hub, agent->slot);

	if (r)
		return fail(diags, r, "clear a slot for the agent");
	r = hub_refuse_calls(hub, agent->slot, image, diags);
	if (r == 0)
		r = agent_create(&hub->loader, &entry, cgroup_fd, image, diags);
	if (r)
		return r;
	r = carry_links(hub, agent->slot, cgroup_fd);
	if (r)
		return fail(diags, r, "attach the programs to the cgroup");
	r = hub_relabel(hub, 0, diags);
	if (r)
		return r;
	hub_agent_name(agent->slot, folder);
	r = hub_set_mark(hub, folder);
	return r ? fail(diags, r, "mark the agent") : 0;
}

/* NOLINTNEXTLINE(readability-function-size): files are a pointer and a number */
int hub_agent_attach(struct hub *hub, int cgroup_fd, const struct policy_image *image,
		     char *const *files, size_t file_count, struct hub_agent *ret_agent,
		     struct diag_list *diags)
{
	struct hub_agent agent = { 0 };
	char folder[32];
	int r = hub_check_tier(hub, image, diags);

	if (r == 0)
		r = hub_check_around(hub, cgroup_fd, &agent.cgroup, diags);
	if (r == 0)
		r = hub_protect(hub, files, file_count, diags);
	if (r == 0)
		r = hub_slot_find(hub, &agent.slot, diags);
	if (r)
		return r;
	hub_agent_name(agent.slot, folder);
	if (mkdirat(hub->pins, folder, 0700))
		return fail(diags, -errno, "make a folder for pins");
	r = attach(hub, &agent, cgroup_fd, image, diags);
	if (r) {
		(void)hub_attached_remove(hub, &agent, diags);
		return r;
	}
	*ret_agent = agent;
	return 0;
}

/** Links that are held while their pins go. */
struct held_links {
	int fds[HELD_LINKS_MAX]; /* owned */
	size_t count;
};

static int hold_link(void *context, const char *name, int fd, const struct bpf_link_info *info)
{
	struct held_links *held = context;

	(void)name;
	if (fd < 0 || info->type != BPF_LINK_TYPE_CGROUP || held->count == HELD_LINKS_MAX)
		return 0;
	held->fds[held->count] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (held->fds[held->count] >= 0)
		held->count++;
	return 0;
}

/*
 * Remove the agent's pins, then detach at once what they pinned: left alone, the kernel does so some time after
 * the last reference is gone, and until then refuses the network to whom no agent is known for. In this order: a
 * picketd that is killed in between leaves no agent that only looks attached.
 */
static int detach_links(struct hub *hub, const char *folder)
{
	struct held_links held = { .count = 0 };
	int r;

	(void)hub_each_link(hub, folder, hold_link, &held);
	r = hub_set_empty(hub, folder);
	for (size_t i = 0; i < held.count; i++) {
		if (r == 0)
			(void)bpf_link_detach(held.fds[i]);
		(void)close(held.fds[i]);
	}
	return r;
}

int hub_attached_remove(struct hub *hub, const struct hub_agent *agent, struct diag_list *diags)
{
	struct picket_bpf *skel = hub->loader.skel;
	char folder[32];
	int r;

	hub_agent_name(agent->slot, folder);
	r = detach_links(hub, folder);
	if (r)
		return fail(diags, r, "detach the programs of the agent");
	if (bpf_map_delete_elem(bpf_map__fd(skel->maps.pk_cgroups), &agent->cgroup) &&
	    errno != ENOENT)
		return fail(diags, -errno, "take the agent out of the kernel's maps");
	__atomic_fetch_add(&skel->bss->pk_generation, 1, __ATOMIC_SEQ_CST);
	r = hub_relabel(hub, agent->slot, diags);
	if (r)
		return r;
	r = hub_agent_withdraw(hub, agent);
	if (r == 0)
		r = hub_set_remove(hub, folder);
	return r ? fail(diags, r, "take the agent out of the kernel's maps") : 0;
}
