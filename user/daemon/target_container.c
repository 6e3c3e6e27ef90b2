/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree is walked from its root, without links, up to a number of control groups and a depth. What
 * is inside a container's is its own affair and not looked into once it is the one.
 */
#include "daemon/target_container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Bytes of an id, in hexadecimal digits. */
#define ID_LENGTH 64
/* Most control groups that are looked at: everybody waits meanwhile. */
#define GROUPS_MAX 65536
/* Containers in containers are a few levels each. */
#define DEPTH_MAX 32
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

#define SCOPE ".scope"
#define MACHINE "machine-"
#define LXC "lxc.payload."

/* A walk. */
struct walk {
	const char *wish;
	size_t seen;
	char *found; /* owned; path, or NULL */
	char *other; /* owned; a second one, or NULL */
};

static void walk_reset(struct walk *walk)
{
	free(walk->found);
	free(walk->other);
}

static bool is_hex(const char *text, size_t length)
{
	return strspn(text, "0123456789abcdef") >= length;
}

/* Is the id, which is @length bytes long, the one that is meant? */
static bool is_id(const char *id, size_t length, const char *wish)
{
	size_t wanted = strlen(wish);

	return length == ID_LENGTH && is_hex(id, length) && wanted >= CONTAINER_ID_LEAST &&
	       strncmp(id, wish, wanted) == 0;
}

/* The byte that "\xNN" stands for, as the service manager writes names; or -1. */
static int escaped(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	const char *high;
	const char *low;

	if (text[0] != '\\' || text[1] != 'x' || !text[2] || !text[3])
		return -1;
	high = strchr(digits, text[2]);
	low = strchr(digits, text[3]);
	return high && low ? (int)((high - digits) * 16 + (low - digits)) : -1;
}

/* Is the escaped text, which is @length bytes long, @wish? */
static bool is_machine(const char *text, size_t length, const char *wish)
{
	const char *end = text + length;

	while (text < end && *wish) {
		int byte = escaped(text);

		if ((unsigned char)*wish != (unsigned char)(byte >= 0 ? byte : *text))
			return false;
		text += byte >= 0 ? 4 : 1;
		wish++;
	}
	return text == end && !*wish;
}

bool container_matches(const char *name, const char *wish)
{
	static const char *const engines[] = { "",	"docker-", "libpod-", "cri-containerd-",
					       "crio-", "nerdctl-" };
	size_t length = strlen(name);
	bool scope = length > strlen(SCOPE) && strcmp(name + length - strlen(SCOPE), SCOPE) == 0;

	if (!*wish)
		return false;
	if (strncmp(name, LXC, strlen(LXC)) == 0)
		return strcmp(name + strlen(LXC), wish) == 0;
	if (scope)
		length -= strlen(SCOPE);
	if (scope && strncmp(name, MACHINE, strlen(MACHINE)) == 0)
		return is_machine(name + strlen(MACHINE), length - strlen(MACHINE), wish);
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		size_t front = strlen(engines[i]);

		if (length > front && strncmp(name, engines[i], front) == 0 &&
		    is_id(name + front, length - front, wish))
			return true;
	}
	return false;
}

static int take(struct walk *walk, const char *path)
{
	char **into = walk->found ? &walk->other : &walk->found;

	*into = strdup(path);
	return *into ? 0 : -ENOMEM;
}

static int walk_folder(struct walk *walk, int fd, const char *path, int depth);

/* One entry of the folder open as @parent. 0, or nonzero to end. */
static int walk_entry(struct walk *walk, int parent, const char *path, const char *name, int depth)
{
	CLEAN_FREE char *below = NULL;
	CLEAN_FD int fd = -1;

	if (++walk->seen > GROUPS_MAX || depth == DEPTH_MAX)
		return -E2BIG;
	if (asprintf(&below, "%s%s%s", path, *path ? "/" : "", name) < 0) {
		below = NULL;
		return -ENOMEM;
	}
	if (container_matches(name, walk->wish))
		return take(walk, below);
	fd = openat(parent, name, OPEN_DIR);
	/* They come and go. */
	return fd < 0 ? 0 : walk_folder(walk, fd, below, depth + 1);
}

/* NOLINTNEXTLINE(misc-no-recursion): its depth is bounded */
static int walk_folder(struct walk *walk, int fd, const char *path, int depth)
{
	int copy = openat(fd, ".", OPEN_DIR);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		mem_close_fd(&copy);
		return errno == ENOENT ? 0 : -errno;
	}
	while (r == 0 && !walk->other && (entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			r = walk_entry(walk, fd, path, entry->d_name, depth);
	}
	(void)closedir(dir);
	return r;
}

static int refuse_none(const char *wish, struct diag_list *diags)
{
	struct diag *diag = diag_add(diags, DIAG_ERROR, NULL, "no container '%s' runs here", wish);

	if (strlen(wish) >= CONTAINER_ID_LEAST && is_hex(wish, strlen(wish)))
		diag_hint(diag, "`docker ps --no-trunc`, `podman ps --no-trunc` or `crictl ps "
				"--no-trunc` tells the ids of those that run");
	else
		diag_hint(diag,
			  "give at least %d digits of its id, which `docker inspect -f '{{.Id}}' "
			  "NAME` or `podman inspect -f '{{.Id}}' NAME` tells: picketd asks no "
			  "engine for names",
			  CONTAINER_ID_LEAST);
	return -ENOENT;
}

int container_find(int root, const char *wish, char **ret_path, struct diag_list *diags)
{
	CLEAN(walk_reset) struct walk walk = { .wish = wish };
	int r = walk_folder(&walk, root, "", 0);

	if (r == -E2BIG)
		diag_hint(
			diag_add(diags, DIAG_ERROR, NULL,
				 "there are too many control groups to look through for container "
				 "'%s'",
				 wish),
			"give its control group with --cgroup PATH");
	else if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot look for container '%s': %s", wish,
			       strerror(-r));
	if (r)
		return r;
	if (!walk.found)
		return refuse_none(wish, diags);
	if (walk.other) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "'%s' may be '%s' or '%s'", wish,
				   walk.found, walk.other),
			  "give more of the id, or the control group with --cgroup PATH");
		return -EEXIST;
	}
	*ret_path = TAKE_PTR(walk.found);
	return 0;
}
