/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places and locks. The common lock is on a directory that whoever is last removes: a lock got on a
 * removed directory is worth nothing and taken again on the new one.
 */
#include "engine/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "engine/cgroup.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define LOCK_STEP_MS 5
#define LOCK_TRIES (30000 / LOCK_STEP_MS)
/* Names tried: other pid namespaces may use the same pid. */
#define NAMES_MAX 4096

static int open_picket(const char *root, mode_t mode, char **ret_path)
{
	CLEAN_FREE char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/picket", root) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (mkdir(path, mode) && errno != EEXIST)
		return -errno;
	fd = open(path, OPEN_DIR);
	if (fd < 0)
		return -errno;
	*ret_path = TAKE_PTR(path);
	return fd;
}

static bool is_still_there(int fd, const char *path)
{
	struct stat by_fd;
	struct stat by_path;

	return fstat(fd, &by_fd) == 0 && stat(path, &by_path) == 0 &&
	       by_fd.st_ino == by_path.st_ino && by_fd.st_dev == by_path.st_dev;
}

/* One try. Returns the descriptor that holds the lock, -EAGAIN when it is taken, or -errno. */
static int try_lock(const char *root)
{
	CLEAN_FREE char *path = NULL;
	CLEAN_FD int fd = open_picket(root, 0755, &path);

	if (fd < 0)
		return fd == -ENOENT ? -EAGAIN : fd;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (!is_still_there(fd, path))
		return -EAGAIN;
	return TAKE_FD(fd);
}

static int fail(struct diag_list *diags, const char *root, int error, const char *what)
{
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "%s '%s/picket': %s", what, root,
			   strerror(-error)),
		  "check that it is mounted writable: mount | grep '%s'", root);
	return error;
}

int place_lock(const struct place_roots *roots, struct place_lock *ret_lock,
	       struct diag_list *diags)
{
	static const struct timespec pause = { .tv_nsec = LOCK_STEP_MS * 1000000L };
	CLEAN_FREE char *path = NULL;
	CLEAN_FD int cgroups = -EAGAIN;
	int pins;

	for (int i = 0; i < LOCK_TRIES && cgroups == -EAGAIN; i++) {
		if (i > 0)
			(void)nanosleep(&pause, NULL);
		cgroups = try_lock(roots->cgroup);
	}
	if (cgroups < 0)
		return fail(diags, roots->cgroup, cgroups, "cannot lock the directory of cgroups");
	pins = open_picket(roots->bpffs, 0700, &path);
	if (pins < 0)
		return fail(diags, roots->bpffs, pins, "cannot open the directory of pins");
	*ret_lock = (struct place_lock){ .cgroups = TAKE_FD(cgroups), .pins = pins };
	return 0;
}

static void remove_picket(const char *root)
{
	CLEAN_FREE char *path = NULL;

	if (asprintf(&path, "%s/picket", root) < 0) {
		path = NULL;
		return;
	}
	/* Not empty: other runs live there. */
	(void)rmdir(path);
}

void place_unlock(const struct place_roots *roots, struct place_lock *lock)
{
	if (lock->cgroups >= 0) {
		remove_picket(roots->bpffs);
		remove_picket(roots->cgroup);
	}
	mem_close_fd(&lock->pins);
	mem_close_fd(&lock->cgroups);
}

static void place_close(struct place *place)
{
	mem_close_fd(&place->cgroup);
	mem_close_fd(&place->pins);
	mem_free_ptr(&place->pin_path);
}

static int make_pins(const struct place_roots *roots, const struct place_lock *lock,
		     struct place *place)
{
	if (mkdirat(lock->pins, place->name, 0700))
		return -errno;
	place->pins = openat(lock->pins, place->name, OPEN_DIR);
	if (place->pins < 0 || flock(place->pins, LOCK_EX | LOCK_NB))
		return -errno;
	if (asprintf(&place->pin_path, "%s/picket/%s", roots->bpffs, place->name) < 0) {
		place->pin_path = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* Returns 0, -EEXIST when the name is taken, or -errno. */
static int try_create(const struct place_roots *roots, const struct place_lock *lock,
		      struct place *place)
{
	int r = cgroup_create(lock->cgroups, place->name, &place->cgroup);

	if (r)
		return r;
	r = flock(place->cgroup, LOCK_EX | LOCK_NB) ? -errno : make_pins(roots, lock, place);
	if (r == 0)
		return 0;
	(void)unlinkat(lock->cgroups, place->name, AT_REMOVEDIR);
	if (r != -EEXIST)
		(void)unlinkat(lock->pins, place->name, AT_REMOVEDIR);
	place_close(place);
	return r;
}

int place_create(const struct place_roots *roots, const struct place_lock *lock,
		 struct place *ret_place, struct diag_list *diags)
{
	struct place place = PLACE_NONE;
	int r = -EEXIST;

	for (int n = 0; n < NAMES_MAX && r == -EEXIST; n++) {
		(void)snprintf(place.name, sizeof(place.name), PLACE_PREFIX "%d-%d", getpid(), n);
		r = try_create(roots, lock, &place);
	}
	if (r) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "cannot create cgroup '%s/picket/%s': %s", roots->cgroup,
				   place.name, strerror(-r)),
			  "check 'cgroup.max.descendants' and the memory that is free");
		return r;
	}
	*ret_place = place;
	return 0;
}

int place_remove_pins(int pins, const char *name)
{
	struct dirent *entry;
	int fd = openat(pins, name, OPEN_DIR);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir) {
		r = errno == ENOENT ? 0 : -errno;
		mem_close_fd(&fd);
		return r;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && unlinkat(fd, entry->d_name, 0) && errno != ENOENT)
			r = -errno;
	}
	(void)closedir(dir);
	if (unlinkat(pins, name, AT_REMOVEDIR) && errno != ENOENT)
		r = -errno;
	return r;
}

int place_remove(const struct place_roots *roots, struct place *place, struct diag_list *diags)
{
	struct place_lock lock = PLACE_LOCK_NONE;
	int r;

	if (place->cgroup < 0)
		return 0;
	r = place_lock(roots, &lock, diags);
	if (r == 0) {
		int pins = place_remove_pins(lock.pins, place->name);
		int cgroup = cgroup_remove_tree(lock.cgroups, place->name);

		r = cgroup ? cgroup : pins;
		place_unlock(roots, &lock);
		if (r)
			diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cannot remove '%s': %s",
					   place->name, strerror(-r)),
				  "the next 'picket run' tries again");
	}
	place_close(place);
	*place = (struct place)PLACE_NONE;
	return r;
}
