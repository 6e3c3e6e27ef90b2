/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on files by name: other names for a file, changes of names, attributes, odd names.
 */
#include "attack.h"

#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <signal.h>
#include <sys/xattr.h>

static int act_read(char **a)
{
	return opened(open(a[0], O_RDONLY | O_CLOEXEC));
}

static int act_write(char **a)
{
	return opened(open(a[0], O_WRONLY | O_CLOEXEC));
}

static int act_create(char **a)
{
	return opened(open(a[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

static int act_append(char **a)
{
	int fd = open(a[0], O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 || write(fd, "x\n", 2) != 2 ? -1 : 0;
}

/* As cp(1) does with what is there. */
static int act_overwrite(char **a)
{
	return opened(open(a[0], O_WRONLY | O_TRUNC | O_CLOEXEC));
}

static int act_mkfifo(char **a)
{
	return mknod(a[0], S_IFIFO | 0600, 0);
}

static int act_symlink(char **a)
{
	return symlink(a[0], a[1]);
}

static int act_rmdir(char **a)
{
	return rmdir(a[0]);
}

static int act_mkdir(char **a)
{
	return mkdir(a[0], 0755);
}

static int act_unlink(char **a)
{
	return unlink(a[0]);
}

/* rename2 FLAGS FROM TO: 0 plain, 1 not over something, 2 exchange, 4 whiteout. */
static int act_rename(char **a)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a[1], AT_FDCWD, a[2], (unsigned)number(a[0]));
}

/* And back: others need what is below it. */
static int act_away(char **a)
{
	if (rename(a[0], a[1]))
		return -1;
	return rename(a[1], a[0]);
}

static int act_link(char **a)
{
	return linkat(AT_FDCWD, a[0], AT_FDCWD, a[1], AT_SYMLINK_FOLLOW);
}

/* A link to what a descriptor holds, without a name on the way. */
static int act_link_empty(char **a)
{
	int fd = open(a[0], O_PATH | O_CLOEXEC);

	return fd < 0 ? -1 : linkat(fd, "", AT_FDCWD, a[1], AT_EMPTY_PATH);
}

static int act_link_proc(char **a)
{
	char path[64];
	int fd = open(a[0], O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, AT_FDCWD, a[1], AT_SYMLINK_FOLLOW);
}

/* A nameless file in folder 0, then a name for it. */
static int act_tmpfile_link(char **a)
{
	char path[64];
	int fd = open(a[0], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, AT_FDCWD, a[1], AT_SYMLINK_FOLLOW);
}

static int act_symlink_read(char **a)
{
	if (symlink(a[0], a[1]))
		return -1;
	return act_read(a + 1);
}

/* A symbolic link to the folder, and the file below it: the link is in the middle. */
static int act_symlink_middle(char **a)
{
	char path[PATH_MAX];

	if (symlink(a[0], a[1]))
		return -1;
	snprintf(path, sizeof(path), "%s/%s", a[1], a[2]);
	return opened(open(path, O_RDONLY | O_CLOEXEC));
}

static int act_opath(char **a)
{
	char path[64];
	int fd = open(a[0], O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return opened(open(path, (int)number(a[1]) | O_CLOEXEC));
}

static int act_cwd(char **a)
{
	char path[PATH_MAX];

	if (chdir(a[0]))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/cwd/%s", a[1]);
	return opened(open(path, O_RDONLY | O_CLOEXEC));
}

/* openat2 FOLDER NAME RESOLVE: the folder by O_PATH, which is not judged. */
static int act_openat2(char **a)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC,
				.resolve = (unsigned long)number(a[2]) };
	int folder = open(a[0], O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return -1;
	return opened((int)syscall(SYS_openat2, folder, a[1], &how, sizeof(how)));
}

/* handle FOLDER FILE: open the file by its handle; the folder only names the file system. */
static int act_handle(char **a)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int id, folder = open(a[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0 || name_to_handle_at(AT_FDCWD, a[1], &u.handle, &id, 0))
		return -1;
	return opened(open_by_handle_at(folder, &u.handle, O_RDONLY | O_CLOEXEC));
}

/* The file is removed while it is open for reading, and opened again for writing. */
static int act_deleted(char **a)
{
	char path[64];
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0 || unlink(a[0]))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return opened(open(path, O_RDWR | O_CLOEXEC));
}

static int act_truncate(char **a)
{
	return truncate(a[0], 1);
}

static int act_chmod(char **a)
{
	return chmod(a[0], 0600);
}

/* fchmodat2, and fchmod of a descriptor that was opened for reading only. */
static int act_fchmod(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : fchmod(fd, 0600);
}

static int act_chown(char **a)
{
	return lchown(a[0], getuid(), getgid());
}

static int act_utimes(char **a)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	return utimensat(AT_FDCWD, a[0], times, 0);
}

/* Touching to the present takes another way in the kernel than setting a time. */
static int act_touch(char **a)
{
	return utimensat(AT_FDCWD, a[0], NULL, 0);
}

static int act_setxattr(char **a)
{
	return setxattr(a[0], a[1], "1", 1, 0);
}

static int act_removexattr(char **a)
{
	return removexattr(a[0], a[1]);
}

/* The binary form of "user::rw-,user:1000:rw-,group::r--,mask::rw-,other::r--". */
static int act_acl(char **a)
{
	static const unsigned char acl[] = {
		2, 0,	 0,    0,    1,	   0,	 6,  0, 0xff, 0xff, 0xff, 0xff, 2,    0,    6,
		0, 0xe8, 3,    0,    0,	   4,	 0,  4, 0,    0xff, 0xff, 0xff, 0xff, 16,   0,
		6, 0,	 0xff, 0xff, 0xff, 0xff, 32, 0, 4,    0,    0xff, 0xff, 0xff, 0xff,
	};

	return setxattr(a[0], "system.posix_acl_access", acl, sizeof(acl), 0);
}

static int act_acl_remove(char **a)
{
	return removexattr(a[0], "system.posix_acl_access");
}

/* chattr +d (no dump) through a descriptor that was opened for reading. */
static int act_setflags(char **a)
{
	int flags = 0, fd = open(a[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return -1;
	flags |= FS_NODUMP_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int act_inotify(char **a)
{
	int fd = inotify_init1(IN_CLOEXEC);

	return fd < 0 ? -1 : opened(inotify_add_watch(fd, a[0], IN_ALL_EVENTS) < 0 ? -1 : fd);
}

/* fanotify FLAGS PATH */
static int act_fanotify(char **a)
{
	int fd = (int)syscall(SYS_fanotify_init, 0x200U, 0U); /* FAN_REPORT_FID */

	if (fd < 0)
		return -1;
	return (int)syscall(SYS_fanotify_mark, fd, 1U | (unsigned)number(a[0]), 0x3bUL, AT_FDCWD,
			    a[1]);
}

/*
 * Move a file to and fro between two names that may not be read while opening it: "won" when it opened.
 * Whoever takes the old folder with the new name for its path takes one that may be read.
 */
static int act_mixed(char **a)
{
	int won = 0;
	pid_t child = fork();

	for (int i = 0; child == 0; i++)
		(void)rename(a[i % 2], a[!(i % 2)]);
	for (int i = 0; i < 20000 && !won; i++)
		won = !opened(open(a[i % 2], O_RDONLY | O_CLOEXEC));
	kill(child, 9);
	return say(won ? "won" : "lost");
}

/* Swap a link between a harmless file and another while opening it: "won" when the other opened. */
static int act_race(char **a)
{
	struct stat wanted, got;
	int won = 0;
	pid_t child;

	if (stat(a[1], &wanted))
		return -1;
	child = fork();
	for (int i = 0; child == 0; i++) {
		unlink(a[3]);
		if (!symlink(a[i % 2], a[3]))
			(void)rename(a[3], a[2]);
	}
	for (int i = 0; i < 3000 && !won; i++) {
		int fd = open(a[2], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		won = !fstat(fd, &got) && got.st_ino == wanted.st_ino;
		close(fd);
	}
	kill(child, 9);
	return say(won ? "won" : "lost");
}

/* A file that many names lead to: `count` times a folder of `width` bytes below the first. */
static int descend(const char *top, int count, int width)
{
	char name[NAME_MAX + 1];
	int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);

	memset(name, 'd', sizeof(name));
	name[width] = '\0';
	for (int i = 0; fd >= 0 && i < count; i++) {
		int next;

		(void)mkdirat(fd, name, 0755);
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	return fd;
}

static int act_deep_create(char **a)
{
	int fd = descend(a[0], (int)number(a[1]), (int)number(a[2]));

	if (fd < 0)
		return -1;
	return opened(openat(fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static const struct act acts[] = {
	{ "read", 1, act_read },
	{ "write", 1, act_write },
	{ "create", 1, act_create },
	{ "append", 1, act_append },
	{ "overwrite", 1, act_overwrite },
	{ "mkdir", 1, act_mkdir },
	{ "mkfifo", 1, act_mkfifo },
	{ "symlink", 2, act_symlink },
	{ "rmdir", 1, act_rmdir },
	{ "unlink", 1, act_unlink },
	{ "rename", 3, act_rename },
	{ "away", 2, act_away },
	{ "link", 2, act_link },
	{ "link-empty", 2, act_link_empty },
	{ "link-proc", 2, act_link_proc },
	{ "tmpfile-link", 2, act_tmpfile_link },
	{ "symlink-read", 2, act_symlink_read },
	{ "symlink-middle", 3, act_symlink_middle },
	{ "opath", 2, act_opath },
	{ "cwd", 2, act_cwd },
	{ "openat2", 3, act_openat2 },
	{ "handle", 2, act_handle },
	{ "deleted", 1, act_deleted },
	{ "truncate", 1, act_truncate },
	{ "chmod", 1, act_chmod },
	{ "fchmod", 1, act_fchmod },
	{ "chown", 1, act_chown },
	{ "utimes", 1, act_utimes },
	{ "touch", 1, act_touch },
	{ "setxattr", 2, act_setxattr },
	{ "removexattr", 2, act_removexattr },
	{ "acl", 1, act_acl },
	{ "acl-remove", 1, act_acl_remove },
	{ "setflags", 1, act_setflags },
	{ "inotify", 1, act_inotify },
	{ "fanotify", 2, act_fanotify },
	{ "race", 4, act_race },
	{ "mixed", 2, act_mixed },
	{ "deep-create", 3, act_deep_create },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
