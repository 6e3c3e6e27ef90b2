/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is open is found before the fork, from /proc/self/fd: a confined child may not read that. In
 * the child it is only close_range(2).
 */
#include "engine/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

#define FIRST 3

static bool is_inherited(int fd, bool all)
{
	int flags = fcntl(fd, F_GETFD);
	struct stat st;

	if (flags < 0 || (flags & FD_CLOEXEC))
		return false;
	return all || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode));
}

int descriptors_add(struct descriptors *keep, int fd)
{
	size_t at = keep->count;
	int *grown = reallocarray(keep->fds, keep->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	keep->fds = grown;
	for (; at > 0 && grown[at - 1] > fd; at--)
		grown[at] = grown[at - 1];
	grown[at] = fd;
	keep->count++;
	return 0;
}

int descriptors_find(bool all, struct descriptors *ret_keep)
{
	CLEAN(descriptors_reset) struct descriptors keep = { 0 };
	const struct dirent *entry;
	DIR *dir = opendir("/proc/self/fd");
	int r = dir ? 0 : -errno;

	while (r == 0 && (entry = readdir(dir))) {
		int fd = (int)strtol(entry->d_name, NULL, 10); /* "." is 0 */

		if (fd >= FIRST && is_inherited(fd, all))
			r = descriptors_add(&keep, fd);
	}
	if (dir)
		(void)closedir(dir);
	if (r)
		return r;
	*ret_keep = keep;
	keep = (struct descriptors){ 0 };
	return 0;
}

static int close_from_to(unsigned int from, unsigned int to, bool now)
{
	if (from > to)
		return 0;
	return syscall(SYS_close_range, from, to, now ? 0 : CLOSE_RANGE_CLOEXEC) ? -errno : 0;
}

int descriptors_close_others(const struct descriptors *keep, bool now)
{
	unsigned int from = FIRST;
	int r = 0;

	for (size_t i = 0; r == 0 && i < keep->count; i++) {
		if (keep->fds[i] < FIRST)
			continue;
		r = close_from_to(from, (unsigned int)keep->fds[i] - 1, now);
		from = (unsigned int)keep->fds[i] + 1;
	}
	return r ? r : close_from_to(from, UINT_MAX, now);
}

void descriptors_reset(struct descriptors *keep)
{
	mem_free_ptr(&keep->fds);
	keep->count = 0;
}
