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
	if (fd < 0)
		return -errno;
	if (!is_link(fd))
		return -EBADF;
	memset(ret_info, 0, sizeof(*ret_info));
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

struct check {
	const struct hub *hub;
	const char *folder;
	__u64 cgroup;
	struct diag_list *diags;
};

static int check_link(void *context, const char *name)
{
	const struct check *check = context;
	struct bpf_link_info info;
	CLEAN_FD int fd = -1;

	if (strncmp(name, HUB_LINK_PREFIX, strlen(HUB_LINK_PREFIX)) != 0)
		return 0;
	fd = hub_link_open(check->hub, check->folder, name, &info);
	if (fd < 0)
		return hub_damaged(check->hub, check->diags, "'%s/%s' is no link", check->folder,
				   name);
	if (!runs(info.prog_id, name + strlen(HUB_LINK_PREFIX)))
		return hub_damaged(check->hub, check->diags, "'%s/%s' is another program's link",
				   check->folder, name);
	if (info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.cgroup_id != check->cgroup)
		return hub_damaged(check->hub, check->diags, "'%s/%s' is on another cgroup",
				   check->folder, name);
	return 0;
}

int hub_check_links(const struct hub *hub, const char *name, __u64 cgroup, struct diag_list *diags)
{
	struct check check = { .hub = hub, .folder = name, .cgroup = cgroup, .diags = diags };

	return hub_each_entry(hub->pins, name, check_link, &check);
}
