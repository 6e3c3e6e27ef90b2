/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps that need no BPF program: kernel, privileges, and what is mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "base/mem.h"
#include "engine/destroy.h"
#include "engine/features_steps.h"
#include "engine/mounts.h"

#define BPFFS_DEFAULT "/sys/fs/bpf"

int step_kernel(struct features *f, struct feature *step)
{
	struct utsname name;
	unsigned int major = 0;
	unsigned int minor = 0;

	(void)f;
	if (uname(&name))
		return step_failed(step, "check what restricts this process", "uname: %m");
	if (features_parse_release(name.release, &major, &minor))
		return step_failed(step, "use a kernel with an ordinary release string",
				   "cannot tell the version of kernel '%s'", name.release);
	if (major < FEATURES_KERNEL_MAJOR ||
	    (major == FEATURES_KERNEL_MAJOR && minor < FEATURES_KERNEL_MINOR))
		return step_failed(step, "boot Linux 6.1 or newer",
				   "kernel '%s' is too old: picket needs Linux %d.%d", name.release,
				   FEATURES_KERNEL_MAJOR, FEATURES_KERNEL_MINOR);
	return step_ok(step, "Linux %s", name.release);
}

/* Number of the inode of the initial user namespace, fixed since it can be seen at all. */
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDU

static int missing_capabilities(char *names, size_t size)
{
	static const struct {
		unsigned int number;
		const char *name;
	} needed[] = {
		{ CAP_BPF, "CAP_BPF" },
		{ CAP_PERFMON, "CAP_PERFMON" },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
	};
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	size_t used = 0;

	names[0] = '\0';
	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		unsigned int number = needed[i].number;

		if (data[number / 32].effective & (1U << (number % 32)))
			continue;
		used += (size_t)snprintf(names + used, size - used, "%s%s", used ? ", " : "",
					 needed[i].name);
	}
	return 0;
}

int step_privileges(struct features *f, struct feature *step)
{
	char missing[128];
	struct stat ns;
	int r = missing_capabilities(missing, sizeof(missing));

	(void)f;
	if (r)
		return step_failed(step, "run picket as root", "cannot read capabilities: %s",
				   strerror(-r));
	if (missing[0])
		return step_failed(step, "run picket as root, for example with sudo",
				   "missing privileges: %s", missing);
	if (stat("/proc/self/ns/user", &ns) == 0 && ns.st_ino != INITIAL_USER_NAMESPACE)
		return step_failed(step, "run picket outside of the user namespace",
				   "this process is root in a user namespace only");
	return step_ok(step, "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN are there");
}

int step_cgroup(struct features *f, struct feature *step)
{
	static const char remedy[] =
		"mount it: mount -t cgroup2 none /sys/fs/cgroup (or another empty directory)";
	CLEAN(mount_place_reset) struct mount_place place = { 0 };
	struct statfs fs;
	int r = mounts_find_own("cgroup2", &place);

	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT)
		return step_failed(step, remedy, "no cgroup2 file system is mounted");
	if (r)
		return step_failed(step, "mount /proc", "cannot read '/proc/self/mountinfo': %s",
				   strerror(-r));
	if (statfs(place.point, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC)
		return step_failed(step, "unmount what hides it",
				   "cgroup2 at '%s' is hidden by another mount", place.point);
	if (!place.writable)
		return step_failed(step, "make it writable: mount -o remount,rw",
				   "cgroup2 at '%s' is mounted read-only", place.point);
	f->cgroup_root = TAKE_PTR(place.point);
	return step_ok(step, "cgroup2 is mounted at '%s'", f->cgroup_root);
}

/* The file exists in every cgroup but the root: the answer needs a cgroup of ours for a moment. */
int step_cgroup_kill(struct features *f, struct feature *step)
{
	CLEAN_FREE char *dir = NULL;
	CLEAN_FREE char *file = NULL;
	bool there;

	if (asprintf(&dir, "%s/picket-probe-%d", f->cgroup_root, getpid()) < 0 ||
	    asprintf(&file, "%s/cgroup.kill", dir) < 0)
		return -ENOMEM;
	if (mkdir(dir, 0755))
		return step_failed(step, "allow picket to create cgroups there",
				   "cannot create cgroup '%s': %m", dir);
	there = access(file, W_OK) == 0;
	(void)rmdir(dir);
	if (!there)
		return step_failed(step, "boot Linux 6.1 or newer",
				   "cgroups have no 'cgroup.kill' file");
	return step_ok(step, "cgroups can be created and killed");
}

/* Where bpffs can be written, or -ENOENT. */
static int find_bpffs(char **ret_point)
{
	CLEAN(mount_place_reset) struct mount_place place = { 0 };
	struct statfs fs;
	int r = mounts_find_own("bpf", &place);

	if (r)
		return r;
	/* Another mount may hide it. */
	if (statfs(place.point, &fs) || fs.f_type != BPF_FS_MAGIC || !place.writable)
		return -ENOENT;
	*ret_point = TAKE_PTR(place.point);
	return 0;
}

/* Two that start at once must not mount one over the other: the mount point is locked meanwhile. */
static int mount_bpffs(char **ret_point)
{
	CLEAN_FD int lock = open(BPFFS_DEFAULT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (lock < 0 || flock(lock, LOCK_EX))
		return -errno;
	r = find_bpffs(ret_point);
	if (r != -ENOENT)
		return r;
	if (mount("bpf", BPFFS_DEFAULT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return -errno;
	return find_bpffs(ret_point);
}

int step_bpffs(struct features *f, struct feature *step)
{
	bool there = true;
	int r = find_bpffs(&f->bpffs);

	if (r == -ENOENT) {
		there = false;
		r = mount_bpffs(&f->bpffs);
	}
	if (r == -ENOMEM)
		return r;
	if (r)
		return step_failed(step, "mount it: mount -t bpf bpf " BPFFS_DEFAULT,
				   "cannot mount the bpf file system at '%s': %s", BPFFS_DEFAULT,
				   strerror(-r));
	return step_ok(step, "the bpf file system %s at '%s'", there ? "is mounted" : "was mounted",
		       f->bpffs);
}

int step_socket_end(struct features *f, struct feature *step)
{
	CLEAN(destroyer_reset) struct destroyer destroyer = DESTROYER_NONE;
	int r = destroy_prove(&destroyer);

	(void)f;
	if (r)
		return step_failed(step,
				   "use a kernel with CONFIG_INET_DIAG_DESTROY=y and the module "
				   "'tcp_diag'; without it the program of a refused connection "
				   "waits for a time-out",
				   "refused connections cannot be ended at once: %s",
				   destroy_cause(r));
	return step_ok(step, "refused connections are ended at once");
}

int step_btf(struct features *f, struct feature *step)
{
	(void)f;
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return step_failed(step, "use a kernel built with CONFIG_DEBUG_INFO_BTF=y",
				   "cannot read '/sys/kernel/btf/vmlinux': %m");
	return step_ok(step, "the kernel describes its types in '/sys/kernel/btf/vmlinux'");
}

/* Open "lsm" of securityfs; a private, never attached mount when it is not mounted. */
static int open_lsm_list(void)
{
	CLEAN_FD int fs = -1;
	CLEAN_FD int mount_fd = -1;
	int fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	fs = fsopen("securityfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount_fd < 0)
		return -errno;
	fd = openat(mount_fd, "lsm", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int step_lsm_list(struct features *f, struct feature *step)
{
	CLEAN_FD int fd = open_lsm_list();
	char list[512];
	ssize_t length;

	(void)f;
	if (fd < 0)
		return step_failed(step, "mount it: mount -t securityfs none /sys/kernel/security",
				   "cannot read the list of LSMs: %s", strerror(-fd));
	length = read(fd, list, sizeof(list) - 1);
	if (length < 0)
		return step_failed(step, "check what restricts this process",
				   "cannot read the list of LSMs: %m");
	list[length] = '\0';
	list[strcspn(list, "\n")] = '\0';
	if (!features_list_has(list, "bpf"))
		return step_failed(step, "add 'bpf' to lsm= of the kernel's command line",
				   "'bpf' is not among the active LSMs (%s)", list);
	return step_ok(step, "'bpf' is among the active LSMs (%s)", list);
}
