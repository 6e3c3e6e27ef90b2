/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links that are pinned: what they run and where is asked of the kernel, names are only names.
 */
#include "engine/hub_parts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* A map or a program that is pinned would answer as well, with something else. */
static bool is_link(int fd)
{
	char path[64];
	char target[64] = "";

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof(target) - 1) > 0 &&
	       (strcmp(target, "anon_inode:bpf-link") == 0 ||
		strcmp(target, "anon_inode:bpf_link") == 0);
}

int hub_link_open(const struct hub *hub, const char *folder, const char *name,
		  struct bpf_link_info *ret_info)
{
	CLEAN_FREE char *path = hub_path(hub, folder, "", name);
	CLEAN_FD int fd = path ? bpf_obj_get(path) : -1;
	__u32 size = sizeof(*ret_info);

	if (!path)
		return -ENOMEM;
	memset(ret_info, 0, sizeof(*ret_info));
	if (fd < 0)
		return -errno;
	if (!is_link(fd))
		return -EBADF;
	if (bpf_obj_get_info_by_fd(fd, ret_info, &size))
		return -errno;
	return TAKE_FD(fd);
}

/* Does the program with this id have this name? */
static bool runs(__u32 id, const char *name)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	CLEAN_FD int fd = bpf_prog_get_fd_by_id(id);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 &&
	       strcmp(info.name, name) == 0;
}

struct walk {
	const struct hub *hub;
	const char *folder;
	hub_link_fn fn;
	void *context;
};

static int walk_link(void *context, const char *name)
{
	const struct walk *walk = context;
	struct bpf_link_info info;
	CLEAN_FD int fd = -1;

	if (strncmp(name, HUB_LINK_PREFIX, strlen(HUB_LINK_PREFIX)) != 0)
		return 0;
	fd = hub_link_open(walk->hub, walk->folder, name, &info);
	return walk->fn(walk->context, name, fd, &info);
}

int hub_each_link(const struct hub *hub, const char *folder, hub_link_fn fn, void *context)
{
	struct walk walk = { .hub = hub, .folder = folder, .fn = fn, .context = context };

	return hub_each_entry(hub->pins, folder, walk_link, &walk);
}

struct check {
	const struct hub *hub;
	const char *folder;
	__u64 cgroup;
	bool may_be_gone;
	struct diag_list *diags;
};

/* A link whose cgroup was removed is on none. */
static bool is_on(const struct bpf_link_info *info, __u64 cgroup, bool may_be_gone)
{
	if (info->type != BPF_LINK_TYPE_CGROUP || info->cgroup.cgroup_id == cgroup)
		return true;
	return may_be_gone && info->cgroup.cgroup_id == 0;
}

static int check_link(void *context, const char *name, int fd, const struct bpf_link_info *info)
{
	const struct check *check = context;
	const char *wrong = NULL;

	if (fd < 0)
		wrong = "is no link";
	else if (!runs(info->prog_id, name + strlen(HUB_LINK_PREFIX)))
		wrong = "is another program's link";
	else if (!is_on(info, check->cgroup, check->may_be_gone))
		wrong = "is on another cgroup";
	if (!wrong)
		return 0;
	return hub_damaged(check->hub, check->diags, "'%s/%s' %s", check->folder, name, wrong);
}

int hub_check_links(const struct hub *hub, const char *name, __u64 cgroup, struct diag_list *diags)
{
	struct check check = {
		.hub = hub,
		.folder = name,
		.cgroup = cgroup,
		.may_be_gone = strncmp(name, HUB_AGENT_PREFIX, strlen(HUB_AGENT_PREFIX)) == 0,
		.diags = diags,
	};

	return hub_each_link(hub, name, check_link, &check);
}

int hub_link_is_used(void *context, const char *name, int fd, const struct bpf_link_info *info)
{
	(void)context;
	(void)name;
	return fd >= 0 && info->type == BPF_LINK_TYPE_CGROUP && info->cgroup.cgroup_id ? -EBUSY : 0;
}
