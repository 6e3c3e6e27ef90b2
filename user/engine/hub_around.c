/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree is walked upwards by "..", from the cgroup itself to the root of the mount, and ids are
 * compared: names may change meanwhile, what is inside what may not.
 */
#include "engine/hub_around.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "engine/cgroup.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
/* Type of a handle that is a cgroup's id alone (FILEID_KERNFS). */
#define HANDLE_KERNFS 0xfe

/** A cgroup and those around it, innermost first. */
struct chain {
	__u64 ids[PK_CGROUP_DEPTH];
	size_t count;
};

int hub_cgroup_by_id(const struct hub *hub, __u64 id)
{
	struct {
		struct file_handle head;
		__u64 id;
	} handle = {
		.head = { .handle_bytes = sizeof(__u64), .handle_type = HANDLE_KERNFS },
	};
	CLEAN_FD int root = open(hub->roots.cgroup, OPEN_DIR);
	int fd;

	if (root < 0)
		return -errno;
	memcpy(handle.head.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root, &handle.head, OPEN_DIR);
	return fd < 0 ? -errno : fd;
}

static bool is_cgroup2(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Returns 0, -E2BIG when it is too deep for the programs to find, or -errno. */
static int climb(int fd, struct chain *ret_chain)
{
	CLEAN_FD int at = openat(fd, ".", OPEN_DIR);
	struct chain chain = { 0 };

	for (;;) {
		__u64 id = 0;
		int r = at < 0 ? -errno : cgroup_id(at, &id);
		int up;

		if (r)
			return r;
		if (chain.count == PK_CGROUP_DEPTH)
			return -E2BIG;
		chain.ids[chain.count++] = id;
		up = openat(at, "..", OPEN_DIR);
		mem_close_fd(&at);
		at = up;
		/* Above the root of the mount is something else, or the root again. */
		if (at < 0 || !is_cgroup2(at))
			break;
		r = cgroup_id(at, &id);
		if (r || id == chain.ids[chain.count - 1])
			break;
	}
	*ret_chain = chain;
	return 0;
}

static bool has(const struct chain *chain, __u64 id)
{
	for (size_t i = 0; i < chain->count; i++) {
		if (chain->ids[i] == id)
			return true;
	}
	return false;
}

/* The cgroup that we are in ourselves. */
static int own_chain(const struct hub *hub, struct chain *ret_chain)
{
	CLEAN_FILE FILE *file = fopen("/proc/self/cgroup", "re");
	CLEAN_FREE char *line = NULL;
	CLEAN_FREE char *path = NULL;
	CLEAN_FD int fd = -1;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		if (strncmp(line, "0::", 3) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (asprintf(&path, "%s%s", hub->roots.cgroup, line + 3) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		fd = open(path, OPEN_DIR);
		return fd < 0 ? -errno : climb(fd, ret_chain);
	}
	return -ENODATA;
}

struct search {
	const struct hub *hub;
	__u64 id; /* of the cgroup in question */
};

/* Is the agent's cgroup inside the one in question? */
static int refuse_outer(void *context, const struct hub_agent *agent)
{
	const struct search *search = context;
	CLEAN_FD int fd = hub_cgroup_by_id(search->hub, agent->cgroup);
	struct chain chain = { 0 };
	int r = fd < 0 ? fd : climb(fd, &chain);

	if (r == -ESTALE)
		return 0;
	return r == 0 && has(&chain, search->id) ? -EEXIST : r;
}

/* Is it an agent's, or inside one? */
static int refuse_inner(const struct hub *hub, const struct chain *chain)
{
	int cgroups = bpf_map__fd(hub->loader.skel->maps.pk_cgroups);

	for (size_t i = 0; i < chain->count; i++) {
		__u32 slot;

		if (bpf_map_lookup_elem(cgroups, &chain->ids[i], &slot) == 0)
			return -EEXIST;
	}
	return 0;
}

/* Is it in what is picket's, or around it? Runs of their own live there as well. */
static int refuse_picket(const struct hub *hub, const struct chain *chain)
{
	CLEAN_FD int above = openat(hub->cgroups, "..", OPEN_DIR);
	struct chain picket = { 0 };
	int r = above < 0 ? -errno : climb(above, &picket);

	if (r)
		return r;
	return has(chain, picket.ids[0]) || has(&picket, chain->ids[0]) ? -EEXIST : 0;
}

static int check(const struct hub *hub, int cgroup_fd, __u64 *ret_id, const char **ret_why)
{
	struct search search = { .hub = hub };
	struct chain chain = { 0 };
	struct chain own = { 0 };
	int r;

	*ret_why = "it is no cgroup2";
	if (!is_cgroup2(cgroup_fd))
		return -EINVAL;
	*ret_why = "it cannot be looked at";
	r = climb(cgroup_fd, &chain);
	if (r)
		return r;
	*ret_why = "it is in picket's own, or around it";
	r = refuse_picket(hub, &chain);
	if (r)
		return r;
	*ret_why = "it is an agent's already, or inside one";
	r = refuse_inner(hub, &chain);
	if (r)
		return r;
	*ret_why = "an agent is inside it";
	search.id = chain.ids[0];
	r = hub_agents(hub, refuse_outer, &search);
	if (r)
		return r;
	*ret_why = "this process is inside it";
	r = own_chain(hub, &own);
	if (r == 0 && has(&own, chain.ids[0]))
		r = -EINVAL;
	*ret_id = chain.ids[0];
	return r;
}

int hub_check_around(const struct hub *hub, int cgroup_fd, __u64 *ret_id, struct diag_list *diags)
{
	const char *why = NULL;
	int r = check(hub, cgroup_fd, ret_id, &why);

	if (r)
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "the cgroup cannot become an agent: %s (%s)", why, strerror(-r)),
			  "choose the cgroup of one service or container");
	return r;
}
