/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * act: do one thing the way a program would and say what the kernel answered: "ok" or the name of
 * the errno. It judges nothing; the case tables do.
 *
 *   act OP [ARG...]      one act
 *   act batch            acts from standard input, a line each, every one in a process of its own;
 *                        the answers on standard output, a line each
 *
 * Statically linked: under a policy it needs no file but itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "act_net.h"

#define ARGS_MAX 8
/* Any number of arguments: the kernel adds some when it runs a script. */
#define ANY (-1)

static int act_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	return close(fd);
}

static int act_read(char **a)
{
	return act_open(a[0], O_RDONLY);
}

static int act_write(char **a)
{
	return act_open(a[0], O_WRONLY);
}

static int act_readwrite(char **a)
{
	return act_open(a[0], O_RDWR);
}

static int act_append(char **a)
{
	return act_open(a[0], O_WRONLY | O_APPEND);
}

static int act_create(char **a)
{
	return act_open(a[0], O_WRONLY | O_CREAT | O_EXCL);
}

static int act_trunc_open(char **a)
{
	return act_open(a[0], O_RDONLY | O_TRUNC);
}

/* The kernel's own mark of an open by execve, which nobody else may set. */
static int act_read_as_exec(char **a)
{
	return act_open(a[0], O_RDONLY | 0x20);
}

static int act_list(char **a)
{
	return act_open(a[0], O_RDONLY | O_DIRECTORY);
}

static int act_tmpfile(char **a)
{
	return act_open(a[0], O_TMPFILE | O_RDWR);
}

static int act_unlink(char **a)
{
	return unlink(a[0]);
}

static int act_rmdir(char **a)
{
	return rmdir(a[0]);
}

static int act_mkdir(char **a)
{
	return mkdir(a[0], 0755);
}

static int act_fifo(char **a)
{
	return mknod(a[0], S_IFIFO | 0644, 0);
}

static int act_device(char **a)
{
	return mknod(a[0], S_IFCHR | 0644, makedev(1, 5));
}

static int act_symlink(char **a)
{
	return symlink(a[0], a[1]);
}

static int act_link(char **a)
{
	return link(a[0], a[1]);
}

static int act_rename(char **a)
{
	return rename(a[0], a[1]);
}

static int act_exchange(char **a)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a[0], AT_FDCWD, a[1], 2U);
}

/* The old name stays, as a mark that hides what lies below. */
static int act_whiteout(char **a)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a[0], AT_FDCWD, a[1], 4U);
}

static int act_truncate(char **a)
{
	return truncate(a[0], 1);
}

static int act_chmod(char **a)
{
	return chmod(a[0], 0600);
}

static int act_chown(char **a)
{
	return chown(a[0], getuid(), getgid());
}

static int act_setxattr(char **a)
{
	return setxattr(a[0], "user.picket", "1", 1, 0);
}

static int act_removexattr(char **a)
{
	return removexattr(a[0], "user.picket");
}

static int act_utimes(char **a)
{
	return utimensat(AT_FDCWD, a[0], NULL, 0);
}

/* An ACL, or the extended attribute that stands for one: owner, group and others, no more. */
static int act_acl(char **a)
{
	static const unsigned char acl[] = {
		2,  0, 0, 0, /* version */
		1,  0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* user: rw */
		4,  0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* group: r */
		32, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* others: r */
	};

	return setxattr(a[0], "system.posix_acl_access", acl, sizeof(acl), 0);
}

/* Set the inode flags to none, through a descriptor that is good for reading only. */
static int act_setflags(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC), flags = 0;

	return fd < 0 ? -1 : ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* The btrfs call that makes a snapshot; other file systems do not know it. */
static int act_snapshot(char **a)
{
	static char arguments[4096];
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : ioctl(fd, _IOW(0x94, 1, arguments), arguments);
}

static int act_watch(char **a)
{
	int fd = inotify_init1(IN_CLOEXEC);

	return fd < 0 || inotify_add_watch(fd, a[0], IN_MODIFY) < 0 ? -1 : 0;
}

static int act_exec(char **a)
{
	char *argv[] = { a[0], "exit", NULL };

	return execv(a[0], argv);
}

static int copy_into(int to, const char *path)
{
	char buffer[65536];
	int from = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (from < 0)
		return -1;
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)n) != n)
			return -1;
	close(from);
	return n < 0 ? -1 : 0;
}

/* Run a copy of the program in memory: a file without a name. */
static int act_exec_memfd(char **a)
{
	char *argv[] = { a[0], "exit", NULL }, *envp[] = { NULL };
	int fd = memfd_create("program", 0);

	if (fd < 0 || copy_into(fd, a[0]))
		return -1;
	return (int)syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

static int map_exec(const char *path, int prot)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map;

	if (fd < 0)
		return -1;
	map = mmap(NULL, 4096, prot, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -1;
	if (!(prot & PROT_EXEC))
		return mprotect(map, 4096, PROT_READ | PROT_EXEC);
	return 0;
}

static int act_map_exec(char **a)
{
	return map_exec(a[0], PROT_READ | PROT_EXEC);
}

static int act_mprotect_exec(char **a)
{
	return map_exec(a[0], PROT_READ);
}

static int act_bind_mount(char **a)
{
	return mount(a[0], a[1], NULL, MS_BIND, NULL);
}

/* The new mount API: clone a tree and attach it elsewhere. */
static int act_move_mount(char **a)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, a[0], 1U /* OPEN_TREE_CLONE */);

	if (tree < 0)
		return -1;
	return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, a[1], 4U /* F_EMPTY_PATH */);
}

/* Read below a clone of a tree that is attached nowhere. */
static int act_detached(char **a)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, a[0], 1U);
	int fd = tree < 0 ? -1 : openat(tree, a[1], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

/* A user namespace of its own, where mounting needs no privilege. */
static int act_userns_mount(char **a)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -1;
	return mount(a[0], a[1], NULL, MS_BIND, NULL);
}

/* Open through /proc/self/root, a link to the root directory. */
static int act_proc_root(char **a)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/self/root%s", a[0]);
	return act_open(path, O_RDONLY);
}

/* Hold the file by O_PATH, reopen it through /proc. */
static int act_opath(char **a)
{
	char path[64];
	int fd = open(a[0], O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return act_open(path, O_RDONLY);
}

/* Leave the cgroup, then read. */
static int act_leave(char **a)
{
	int fd = open(a[0], O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	return write(fd, "0", 1) == 1 ? 0 : -1;
}

static int act_exit(char **a)
{
	(void)a;
	return 0;
}

struct act {
	const char *name;
	int args;
	int (*run)(char **args);
};

static const struct act acts[] = {
	{ "read", 1, act_read },
	{ "write", 1, act_write },
	{ "readwrite", 1, act_readwrite },
	{ "append", 1, act_append },
	{ "create", 1, act_create },
	{ "trunc-open", 1, act_trunc_open },
	{ "read-as-exec", 1, act_read_as_exec },
	{ "list", 1, act_list },
	{ "tmpfile", 1, act_tmpfile },
	{ "unlink", 1, act_unlink },
	{ "rmdir", 1, act_rmdir },
	{ "mkdir", 1, act_mkdir },
	{ "fifo", 1, act_fifo },
	{ "device", 1, act_device },
	{ "symlink", 2, act_symlink },
	{ "link", 2, act_link },
	{ "rename", 2, act_rename },
	{ "exchange", 2, act_exchange },
	{ "truncate", 1, act_truncate },
	{ "chmod", 1, act_chmod },
	{ "chown", 1, act_chown },
	{ "setxattr", 1, act_setxattr },
	{ "removexattr", 1, act_removexattr },
	{ "utimes", 1, act_utimes },
	{ "acl", 1, act_acl },
	{ "setflags", 1, act_setflags },
	{ "snapshot", 1, act_snapshot },
	{ "watch", 1, act_watch },
	{ "whiteout", 2, act_whiteout },
	{ "abstract", 1, act_abstract },
	{ "exec", 1, act_exec },
	{ "exec-memfd", 1, act_exec_memfd },
	{ "map-exec", 1, act_map_exec },
	{ "mprotect-exec", 1, act_mprotect_exec },
	{ "tcp", 2, act_tcp },
	{ "udp-connect", 2, act_udp_connect },
	{ "udp-send", 2, act_udp_send },
	{ "udp-unspec", 2, act_udp_unspec },
	{ "udp-reconnect", 3, act_udp_reconnect },
	{ "udp-many", 3, act_udp_many },
	{ "fastopen", 2, act_fastopen },
	{ "socket", 3, act_socket },
	{ "unix-stream", 1, act_unix_stream },
	{ "unix-send", 1, act_unix_send },
	{ "unix-bind", 1, act_unix_bind },
	{ "bind-mount", 2, act_bind_mount },
	{ "move-mount", 2, act_move_mount },
	{ "detached", 2, act_detached },
	{ "userns-mount", 2, act_userns_mount },
	{ "proc-root", 1, act_proc_root },
	{ "opath", 1, act_opath },
	{ "leave", 1, act_leave },
	{ "exit", ANY, act_exit },
};

static const struct act *find_act(const char *name)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (!strcmp(acts[i].name, name))
			return &acts[i];
	return NULL;
}

/* The answer is printed here, or by the program that an exec started: it calls "exit". */
static int run_act(int argc, char **argv)
{
	const struct act *act = argc > 0 ? find_act(argv[0]) : NULL;
	int r;

	if (!act || (act->args != ANY && argc - 1 != act->args)) {
		fprintf(stderr, "act: unknown act or wrong arguments: %s\n",
			argc > 0 ? argv[0] : "");
		return 2;
	}
	r = act->run(argv + 1);
	printf("%s\n", r ? strerrorname_np(errno) : "ok");
	return fflush(stdout) ? 2 : 0;
}

static int run_line(char *line)
{
	char *argv[ARGS_MAX + 1] = { NULL };
	int argc = 0, status;
	pid_t child;

	for (char *word = strtok(line, " \n"); word && argc < ARGS_MAX; word = strtok(NULL, " \n"))
		argv[argc++] = word;
	child = fork();
	if (child == 0)
		_exit(run_act(argc, argv));
	if (child < 0 || waitpid(child, &status, 0) != child) {
		printf("no-process\n");
		return 2;
	}
	if (WIFSIGNALED(status))
		printf("signal-%d\n", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		printf("status-%d\n", WEXITSTATUS(status));
	return fflush(stdout) ? 2 : 0;
}

int main(int argc, char **argv)
{
	char line[4 * PATH_MAX];

	if (argc != 2 || strcmp(argv[1], "batch"))
		return run_act(argc - 1, argv + 1);
	while (fgets(line, sizeof(line), stdin))
		if (run_line(line))
			return 2;
	return 0;
}
