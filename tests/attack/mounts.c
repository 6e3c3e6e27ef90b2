/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts that give files other places: mounts of every kind, and namespaces.
 */
#include "attack.h"

#include <sched.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Each act is a short-lived process: what it mounts, it mounts in a mount namespace of its own
 * where that is not refused; else the runner clears away. */

/* mount TYPE SOURCE TARGET OPTIONS */
static int act_mount(char **a)
{
	return mount(a[1], a[2], a[0], 0, a[3]);
}

/* flags FLAGS SOURCE TARGET: bind (4096), move (8192), remount, propagation. */
static int act_flags(char **a)
{
	return mount(a[1], a[2], NULL, (unsigned long)number(a[0]), NULL);
}

static int act_umount(char **a)
{
	return umount2(a[0], (int)number(a[1]));
}

/* The new interface: a copy of a tree, attached elsewhere. */
static int act_move_mount(char **a)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, a[0], 1U | O_CLOEXEC);

	if (tree < 0)
		return -1;
	return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, a[1], 4U);
}

/* A copy of a tree that is attached nowhere, and a file below it. */
static int act_detached(char **a)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, a[0], 1U | O_CLOEXEC);

	return tree < 0 ? -1 : opened(openat(tree, a[1], O_RDONLY | O_CLOEXEC));
}

/* A file system made by the new interface and never attached: write there, or run from there. */
static int act_fsmount(char **a)
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 1U), tree;

	if (fs < 0 || syscall(SYS_fsconfig, fs, 6U, NULL, NULL, 0))
		return -1;
	tree = (int)syscall(SYS_fsmount, fs, 1U, 0U);
	return tree < 0 ? -1 : opened(openat(tree, a[0], O_CREAT | O_RDWR | O_CLOEXEC, 0700));
}

/* A file system served by a process, which could be the agent's own. */
static int act_fuse(char **a)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[80];

	if (fd < 0)
		return -1;
	(void)snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	return mount("attack", a[0], "fuse", 0, options);
}

static int act_mount_setattr(char **a)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, a[0], 0U, &attr, sizeof(attr));
}

static int act_pivot(char **a)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(a[0], a[0], NULL, MS_BIND, NULL))
		return -1;
	return (int)syscall(SYS_pivot_root, a[0], a[0]);
}

static int act_chroot_read(char **a)
{
	if (chroot(a[0]))
		return -1;
	return opened(open(a[1], O_RDONLY | O_CLOEXEC));
}

static int act_userns_mount(char **a)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -1;
	return mount(a[0], a[1], NULL, MS_BIND, NULL);
}

static int act_unshare(char **a)
{
	return unshare((int)number(a[0]));
}

/* clone FLAGS: the same by a new process. */
static int act_clone(char **a)
{
	unsigned long args[11] = { (unsigned long)number(a[0]) };
	int status;
	pid_t child;

	args[4] = 17; /* SIGCHLD at its end */
	child = (pid_t)syscall(SYS_clone3, args, sizeof(args));
	if (child == 0)
		_exit(0);
	if (child > 0)
		(void)waitpid(child, &status, 0);
	return child < 0 ? -1 : 0;
}

/* setns PID FLAGS: by a pidfd. */
static int act_setns(char **a)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)number(a[0]), 0);

	return pidfd < 0 ? -1 : setns(pidfd, (int)number(a[1]));
}

static int act_setns_file(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : setns(fd, 0);
}

/* clone3 into the cgroup that PATH is: the child starts there. */
static int act_into_cgroup(char **a)
{
	unsigned long args[11] = { 0x200000000UL };
	int status, fd = open(a[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t child;

	if (fd < 0)
		return -1;
	args[4] = 17;
	args[10] = (unsigned long)fd;
	child = (pid_t)syscall(SYS_clone3, args, sizeof(args));
	if (child == 0)
		_exit(0);
	if (child > 0)
		(void)waitpid(child, &status, 0);
	return child < 0 ? -1 : 0;
}

/* put PATH TEXT: write to a file of the kernel's. */
static int act_put(char **a)
{
	int fd = open(a[0], O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	return write(fd, a[1], strlen(a[1])) < 0 ? -1 : 0;
}

static int act_mkdir(char **a)
{
	return mkdir(a[0], 0755);
}

static int act_rmdir(char **a)
{
	return rmdir(a[0]);
}

static const struct act acts[] = {
	{ "mount", 4, act_mount },
	{ "flags", 3, act_flags },
	{ "umount", 2, act_umount },
	{ "move-mount", 2, act_move_mount },
	{ "detached", 2, act_detached },
	{ "fsmount", 1, act_fsmount },
	{ "fuse", 1, act_fuse },
	{ "mount-setattr", 1, act_mount_setattr },
	{ "pivot", 1, act_pivot },
	{ "chroot-read", 2, act_chroot_read },
	{ "userns-mount", 2, act_userns_mount },
	{ "unshare", 1, act_unshare },
	{ "clone", 1, act_clone },
	{ "setns", 2, act_setns },
	{ "setns-file", 1, act_setns_file },
	{ "into-cgroup", 1, act_into_cgroup },
	{ "put", 2, act_put },
	{ "mkdir", 1, act_mkdir },
	{ "rmdir", 1, act_rmdir },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
