/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A place is dead when its lock can be taken. The order in which it is cleared keeps its processes
 * confined until the last one is gone: kill, wait, unpin, remove.
 */
#include "engine/stale.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>

#include "base/mem.h"
#include "engine/cgroup.h"
#include "engine/scratch.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DEATH_MS 5000

/* Take the lock of directory @name below @parent: its descriptor, -EWOULDBLOCK, or -errno. */
static int take_dead(int parent, const char *name)
{
	CLEAN_FD int fd = openat(parent, name, OPEN_DIR);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB))
		return -errno;
	return TAKE_FD(fd);
}

/* True when the other half of a place is held by a living owner. */
static bool is_held(int parent, const char *name)
{
	CLEAN_FD int fd = take_dead(parent, name);

	return fd == -EWOULDBLOCK;
}

static int clear_place(const struct place_lock *lock, const char *name, int cgroup)
{
	int r = cgroup < 0 ? 0 : cgroup_kill(cgroup);

	if (r == 0 && cgroup >= 0)
		r = cgroup_wait_empty(cgroup, DEATH_MS);
	if (r == 0)
		r = place_remove_pins(lock->pins, name);
	if (r == 0)
		r = cgroup_remove_tree(lock->cgroups, name);
	return r;
}

static void clear_if_dead(const struct place_lock *lock, const char *name, struct diag_list *diags)
{
	CLEAN_FD int cgroup = take_dead(lock->cgroups, name);
	int r;

	if (cgroup == -EWOULDBLOCK || (cgroup < 0 && cgroup != -ENOENT) ||
	    is_held(lock->pins, name))
		return;
	r = clear_place(lock, name, cgroup);
	if (r)
		diag_hint(diag_add(diags, DIAG_WARNING, NULL,
				   "run '%s' had died and cannot be cleared away: %s", name,
				   strerror(-r)),
			  "what is left of it stays confined; the next start tries again");
	else
		(void)diag_add(diags, DIAG_WARNING, NULL,
			       "run '%s' had died: what it left was killed and removed", name);
}

/* Clear every dead place that has an entry in directory @parent. */
static int clear_listed(const struct place_lock *lock, int parent, struct diag_list *diags)
{
	struct dirent *entry;
	int fd = openat(parent, ".", OPEN_DIR);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		int r = -errno;

		mem_close_fd(&fd);
		return r;
	}
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, PLACE_PREFIX, strlen(PLACE_PREFIX)) == 0)
			clear_if_dead(lock, entry->d_name, diags);
	}
	(void)closedir(dir);
	return 0;
}

int stale_clean(const struct place_roots *roots, const struct place_lock *lock,
		struct diag_list *diags)
{
	int r = clear_listed(lock, lock->cgroups, diags);

	if (r == 0)
		r = clear_listed(lock, lock->pins, diags);
	if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot read '%s/picket': %s",
			       roots->cgroup, strerror(-r));
	scratch_clean(lock->cgroups);
	return r;
}
