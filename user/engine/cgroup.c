/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cgroup directories by file descriptor: names are looked up once, and what is killed and waited for
 * is the directory that was opened, whatever has its name by then.
 */
#include "engine/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int cgroup_id(int fd, __u64 *ret_id)
{
	struct {
		struct file_handle head;
		__u64 id;
	} handle = { .head.handle_bytes = sizeof(__u64) };
	int mount;

	/* The handle of a cgroup directory is the id itself (FILEID_KERNFS), on every machine. */
	if (name_to_handle_at(fd, "", &handle.head, &mount, AT_EMPTY_PATH))
		return -errno;
	if (handle.head.handle_bytes != sizeof(__u64))
		return -EPROTO;
	memcpy(ret_id, handle.head.f_handle, sizeof(*ret_id));
	return 0;
}

int cgroup_create(int parent_fd, const char *name, int *ret_fd)
{
	int fd;

	if (mkdirat(parent_fd, name, 0755))
		return -errno;
	fd = openat(parent_fd, name, OPEN_DIR);
	if (fd < 0) {
		int r = -errno;

		(void)unlinkat(parent_fd, name, AT_REMOVEDIR);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int cgroup_join(int fd, pid_t pid)
{
	CLEAN_FD int file = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	if (file < 0 || dprintf(file, "%d", (int)pid) <= 0)
		return -errno;
	return 0;
}

int cgroup_kill(int fd)
{
	CLEAN_FD int file = openat(fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);

	if (file < 0 || write(file, "1", 1) != 1)
		return -errno;
	return 0;
}

/* 1: some process is in the tree, 0: none, or -errno. */
static int is_populated(int file)
{
	char text[256];
	ssize_t length = pread(file, text, sizeof(text) - 1, 0);

	if (length < 0)
		return -errno;
	text[length] = '\0';
	return strstr(text, "populated 0") ? 0 : 1;
}

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int cgroup_wait_empty(int fd, int timeout_ms)
{
	CLEAN_FD int file = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	long end = now_ms() + timeout_ms;

	/* ENODEV: the cgroup was removed, which needs that it was empty. */
	if (file < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	for (;;) {
		struct pollfd event = { .fd = file, .events = POLLPRI };
		int populated = is_populated(file);
		long left = end - now_ms();

		if (populated <= 0)
			return populated == -ENODEV ? 0 : populated;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&event, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
	}
}

/* Store the name of some cgroup below @fd. Returns 0, -ENOENT when there is none, or -errno. */
static int some_child(int fd, char *name, size_t size)
{
	struct dirent *entry;
	int copy = openat(fd, ".", OPEN_DIR);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	int r = -ENOENT;

	if (!dir) {
		r = -errno;
		mem_close_fd(&copy);
		return r;
	}
	while (r == -ENOENT && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, size, "%s", entry->d_name);
		r = 0;
	}
	(void)closedir(dir);
	return r;
}

/* Remove one cgroup below @fd that has no cgroups of its own. Returns 0, -ENOENT: none left. */
static int remove_leaf(int fd)
{
	char name[NAME_MAX + 1];
	CLEAN_FD int parent = openat(fd, ".", OPEN_DIR);
	int r = parent < 0 ? -errno : some_child(parent, name, sizeof(name));

	while (r == 0) {
		char below[NAME_MAX + 1];
		CLEAN_FD int child = openat(parent, name, OPEN_DIR);

		if (child < 0)
			return errno == ENOENT ? 0 : -errno;
		r = some_child(child, below, sizeof(below));
		if (r == -ENOENT)
			return unlinkat(parent, name, AT_REMOVEDIR) ? -errno : 0;
		if (r)
			return r;
		(void)close(parent);
		parent = TAKE_FD(child);
		memcpy(name, below, sizeof(name));
	}
	return r;
}

int cgroup_remove_tree(int parent_fd, const char *name)
{
	CLEAN_FD int fd = openat(parent_fd, name, OPEN_DIR);
	int r = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	/* Depth without recursion: who made the tree chose its depth. */
	while (r == 0)
		r = remove_leaf(fd);
	if (r != -ENOENT)
		return r;
	return unlinkat(parent_fd, name, AT_REMOVEDIR) && errno != ENOENT ? -errno : 0;
}
