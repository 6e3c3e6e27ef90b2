/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stat(2) may answer with made-up devices and numbers, so both are taken from where the kernel shows
 * its own: the inode's number in /proc/self/fdinfo, the device of the mount's file system in
 * /proc/self/mountinfo.
 */
#include "engine/own.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <picket/abi.h>

#include "base/mem.h"
#include "engine/proc_line.h"

#define PRESET_PREFIX "presets/"

/* dev_t inside the kernel: 12 bits of major, 20 of minor. */
static __u64 kernel_device(unsigned int high, unsigned int low)
{
	return (__u64)high << 20 | low;
}

/* Number and mount of an open file; -ENODATA when the kernel does not show them. */
static int read_fdinfo(int fd, __u64 *ret_number, int *ret_mount)
{
	CLEAN_FILE FILE *file = NULL;
	unsigned long long number = 0;
	unsigned long long mount = 0;
	char path[64];
	char line[128];

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		(void)proc_line_value(line, "mnt_id:", &mount);
		(void)proc_line_value(line, "ino:", &number);
	}
	if (mount == 0 || number == 0)
		return -ENODATA;
	*ret_number = number;
	*ret_mount = (int)mount;
	return 0;
}

static int read_mount_device(int mount, __u64 *ret_device)
{
	CLEAN_FILE FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEAN_FREE char *line = NULL;
	size_t size = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0) {
		char *at = NULL;
		unsigned long high;

		/* "36 35 98:0 ...": the mount, its parent, the device. */
		if (strtol(line, &at, 10) != mount)
			continue;
		(void)strtol(at, &at, 10);
		high = strtoul(at, &at, 10);
		if (*at != ':')
			return -EBADMSG;
		*ret_device =
			kernel_device((unsigned int)high, (unsigned int)strtoul(at + 1, NULL, 10));
		return 0;
	}
	return -ENOENT;
}

int own_identify(int fd, struct own_file *ret_file)
{
	struct stat st;
	int mount = -1;
	int r = read_fdinfo(fd, &ret_file->number, &mount);

	if (r == 0)
		r = read_mount_device(mount, &ret_file->device);
	/* On a mount that our namespace does not show, stat() is all there is. */
	if (r != -ENOENT)
		return r;
	if (fstat(fd, &st))
		return -errno;
	ret_file->device = kernel_device(major(st.st_dev), minor(st.st_dev));
	return 0;
}

/* Add @flags to what is noted of the file open as @fd. */
static int add_flags(int map_fd, int fd, __u32 flags)
{
	struct own_file file = { 0 };
	__u32 noted = 0;
	int r = own_identify(fd, &file);

	if (r)
		return r;
	if (bpf_map_lookup_elem(map_fd, &file, &noted) || (noted & PK_OWN_FEED))
		noted = 0;
	if ((noted | flags) == noted)
		return 0;
	flags |= noted;
	return bpf_map_update_elem(map_fd, &file, &flags, BPF_ANY) ? -errno : 0;
}

static int publish_file(int map_fd, const char *path)
{
	CLEAN_FD int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? add_flags(map_fd, fd, PK_OWN_FILE) : 0;
}

int own_enter_feed(int map_fd, int fd, __u32 slot)
{
	const __u32 value = PK_OWN_FEED | slot;
	struct own_file file = { 0 };
	int r = own_identify(fd, &file);

	if (r)
		return r;
	return bpf_map_update_elem(map_fd, &file, &value, BPF_ANY) ? -errno : 0;
}

int own_enter(int map_fd, int fd)
{
	return add_flags(map_fd, fd, PK_OWN_FILE);
}

/* One name on the way to a folder: it must stay what it is. */
static int enter_on_the_way(int map_fd, const char *path)
{
	CLEAN_FD int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	return add_flags(map_fd, fd, S_ISLNK(st.st_mode) ? PK_OWN_FILE : PK_OWN_ABOVE);
}

/* All names on the way to @path and the last one, if that is a link. */
static int enter_way(int map_fd, const char *path)
{
	CLEAN_FREE char *way = strdup(path);
	int r = 0;

	if (!way)
		return -ENOMEM;
	for (char *end = strchr(way + 1, '/'); end && r == 0; end = strchr(end + 1, '/')) {
		*end = '\0';
		r = enter_on_the_way(map_fd, way);
		*end = '/';
	}
	return r ? r : enter_on_the_way(map_fd, way);
}

int own_enter_folder(int map_fd, const char *path, __u32 flags)
{
	CLEAN_FD int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEAN_FREE char *real = NULL;
	int r = fd < 0 ? -errno : add_flags(map_fd, fd, PK_OWN_FILE | PK_OWN_TREE | flags);

	if (r == 0)
		r = enter_way(map_fd, path);
	if (r)
		return r;
	real = realpath(path, NULL);
	if (!real)
		return -errno;
	return strcmp(real, path) == 0 ? 0 : enter_way(map_fd, real);
}

int own_enter_secret(int map_fd, const char *path)
{
	CLEAN_FD int fd = open(path, O_PATH | O_CLOEXEC);
	CLEAN_FD int folder = -1;
	CLEAN_FREE char *real = NULL;
	int r = fd < 0 ? -errno : add_flags(map_fd, fd, PK_OWN_FILE | PK_OWN_SECRET);

	if (r)
		return r;
	real = realpath(path, NULL);
	if (!real)
		return -errno;
	*strrchr(real, '/') = '\0';
	folder = open(*real ? real : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return folder < 0 ? -errno : add_flags(map_fd, folder, PK_OWN_BESIDE);
}

int own_leave(int map_fd, int fd)
{
	struct own_file file = { 0 };
	int r = own_identify(fd, &file);

	if (r)
		return r;
	return bpf_map_delete_elem(map_fd, &file) && errno != ENOENT ? -errno : 0;
}

static int fail(struct diag_list *diags, int error, const char *path)
{
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cannot protect '%s': %s", path,
			   strerror(-error)),
		  "%s",
		  error == -E2BIG ? "include fewer files in the policy" :
				    "nothing was started; check that the file is still there");
	return error;
}

int own_publish(int map_fd, char *const *paths, size_t count, struct diag_list *diags)
{
	static const char self[] = "/proc/self/exe";
	int r = publish_file(map_fd, self);

	if (r)
		return fail(diags, r, self);
	for (size_t i = 0; i < count; i++) {
		r = publish_file(map_fd, paths[i]);
		if (r == -ENOENT && strncmp(paths[i], PRESET_PREFIX, strlen(PRESET_PREFIX)) == 0)
			continue;
		if (r)
			return fail(diags, r, paths[i]);
	}
	return 0;
}

int own_publish_folders(int map_fd, struct diag_list *diags)
{
	static const struct {
		const char *path;
		__u32 flags;
	} folders[] = { { OWN_LIB, PK_OWN_SECRET }, { OWN_RUN, 0 }, { OWN_CONFIG, 0 } };
	int r;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		r = own_enter_folder(map_fd, folders[i].path, folders[i].flags);
		if (r && r != -ENOENT)
			return fail(diags, r, folders[i].path);
	}
	r = own_enter_secret(map_fd, OWN_KEY);
	return r && r != -ENOENT ? fail(diags, r, OWN_KEY) : 0;
}
