/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scratch directories. Some candidates are writable by anybody, so names end in random letters, and
 * nothing is removed that is not a directory of our own user, reached without following links.
 */
#include "engine/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/mem.h"
#include "engine/place.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PREFIX "picket-"

/* In the order of preference: what is surely in memory first, disks may be full. */
static const char *const bases[] = { "/dev/shm", "/run", "/tmp", "/var/tmp" };

/* Can a file with something in it be made there? Returns 0 or -errno. */
static int try_write(const char *path)
{
	CLEAN_FD int dir = open(path, OPEN_DIR);
	CLEAN_FD int fd = openat(dir, "try", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "\n", 1) != 1)
		return -errno;
	return unlinkat(dir, "try", 0) ? -errno : 0;
}

/* Remove all entries of directory @fd; directories in it only when they are empty. */
static void empty_directory(int fd)
{
	struct dirent *entry;
	int copy = openat(fd, ".", OPEN_DIR);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir) {
		mem_close_fd(&copy);
		return;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0))
			(void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	}
	(void)closedir(dir);
}

void scratch_remove(char **path)
{
	CLEAN_FD int fd = *path ? open(*path, OPEN_DIR) : -1;

	if (fd >= 0)
		empty_directory(fd);
	if (*path)
		(void)rmdir(*path);
	mem_free_ptr(path);
}

int scratch_create(const char *owner, char **ret_path)
{
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		CLEAN_FREE char *path = NULL;
		struct statvfs fs;

		/* Where nothing may be run, a denied run would prove nothing. */
		if (statvfs(bases[i], &fs) || (fs.f_flag & (ST_NOEXEC | ST_RDONLY)))
			continue;
		if (asprintf(&path, "%s/" PREFIX "%s.XXXXXX", bases[i], owner) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = mkdtemp(path) ? try_write(path) : -errno;
		if (r == 0) {
			*ret_path = TAKE_PTR(path);
			return 0;
		}
		/* Nothing there when mkdtemp() failed: the name still ends in Xs. */
		scratch_remove(&path);
	}
	return r;
}

static void remove_entry(const char *base, const char *name)
{
	CLEAN_FREE char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s/%s", base, name) < 0) {
		path = NULL;
		return;
	}
	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid())
		scratch_remove(&path);
}

/* Remove entry @name of @base when it is a scratch directory of a run that is not there. */
static void clean_entry(const char *base, const char *name, int cgroups)
{
	char owner[NAME_MAX + 1];
	char *dot;

	(void)snprintf(owner, sizeof(owner), "%s", name + strlen(PREFIX));
	dot = strrchr(owner, '.');
	if (!dot)
		return;
	*dot = '\0';
	if (faccessat(cgroups, owner, F_OK, 0) == 0 || errno != ENOENT)
		return;
	remove_entry(base, name);
}

/* Clean @base: of @owner, or (NULL) of all runs without a cgroup below @cgroups. */
static void clean_base(const char *base, const char *owner, int cgroups)
{
	const char *prefix = PREFIX PLACE_PREFIX;
	struct dirent *entry;
	DIR *dir = opendir(base);
	char own[64];

	(void)snprintf(own, sizeof(own), PREFIX "%s.", owner ? owner : "");
	while (dir && (entry = readdir(dir))) {
		if (owner && strncmp(entry->d_name, own, strlen(own)) == 0)
			remove_entry(base, entry->d_name);
		else if (!owner && strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			clean_entry(base, entry->d_name, cgroups);
	}
	if (dir)
		(void)closedir(dir);
}

void scratch_clean_owner(const char *owner)
{
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		clean_base(bases[i], owner, -1);
}

void scratch_clean(int cgroups)
{
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		clean_base(bases[i], NULL, cgroups);
}
