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

static int publish_file(int map_fd, const char *path)
{
	CLEAN_FD int fd = open(path, O_PATH | O_CLOEXEC);
	struct own_file file = { 0 };
	const __u32 present = 1;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	r = own_identify(fd, &file);
	if (r)
		return r;
	return bpf_map_update_elem(map_fd, &file, &present, BPF_ANY) ? -errno : 0;
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
	const __u32 present = 1;
	struct own_file file = { 0 };
	int r = own_identify(fd, &file);

	if (r)
		return r;
	return bpf_map_update_elem(map_fd, &file, &present, BPF_ANY) ? -errno : 0;
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
