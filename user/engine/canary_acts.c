/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One function an act. They run in a process that does nothing else and ends afterwards, so what an
 * act opens is left open. Acts may only touch the stage.
 */
#include "engine/canary_acts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

struct act_path {
	char text[256];
};

static struct act_path path_of(const struct canary_stage *stage, enum canary_side side,
			       const char *name)
{
	struct act_path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/%d-%s", stage->dir, (int)side, name);
	return path;
}

static int result(long value)
{
	return value < 0 ? -errno : 0;
}

static int act_open(const struct canary_stage *stage, enum canary_side side)
{
	return result(open(path_of(stage, side, "read").text, O_RDONLY | O_CLOEXEC));
}

static int act_create(const struct canary_stage *stage, enum canary_side side)
{
	return result(open(path_of(stage, side, "new").text,
			   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

static int act_mkdir(const struct canary_stage *stage, enum canary_side side)
{
	return result(mkdir(path_of(stage, side, "newdir").text, 0700));
}

static int act_mknod(const struct canary_stage *stage, enum canary_side side)
{
	return result(mknod(path_of(stage, side, "fifo").text, S_IFIFO | 0600, 0));
}

static int act_symlink(const struct canary_stage *stage, enum canary_side side)
{
	return result(symlink("read", path_of(stage, side, "symlink").text));
}

static int act_link(const struct canary_stage *stage, enum canary_side side)
{
	return result(link(path_of(stage, side, "read").text, path_of(stage, side, "link").text));
}

static int act_rename(const struct canary_stage *stage, enum canary_side side)
{
	return result(rename(path_of(stage, side, "from").text, path_of(stage, side, "to").text));
}

static int act_unlink(const struct canary_stage *stage, enum canary_side side)
{
	return result(unlink(path_of(stage, side, "gone").text));
}

static int act_rmdir(const struct canary_stage *stage, enum canary_side side)
{
	return result(rmdir(path_of(stage, side, "dir").text));
}

static int act_truncate(const struct canary_stage *stage, enum canary_side side)
{
	return result(truncate(path_of(stage, side, "read").text, 1));
}

static int act_ftruncate(const struct canary_stage *stage, enum canary_side side)
{
	return result(ftruncate(stage->file[side], 1));
}

static int act_chmod(const struct canary_stage *stage, enum canary_side side)
{
	return result(chmod(path_of(stage, side, "read").text, 0640));
}

static int act_chown(const struct canary_stage *stage, enum canary_side side)
{
	return result(chown(path_of(stage, side, "read").text, geteuid(), getegid()));
}

static int act_setxattr(const struct canary_stage *stage, enum canary_side side)
{
	return result(setxattr(path_of(stage, side, "read").text, "trusted.picket", "1", 1, 0));
}

/* The file is no program: where it may be run, the answer is ENOEXEC, and we live on. */
static int act_exec(const struct canary_stage *stage, enum canary_side side)
{
	struct act_path path = path_of(stage, side, "program");
	char *argv[] = { path.text, NULL };
	char *environment[] = { NULL };

	return result(execve(path.text, argv, environment));
}

static int act_map(const struct canary_stage *stage, enum canary_side side)
{
	const void *map = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, stage->file[side], 0);

	return map == MAP_FAILED ? -errno : 0;
}

static int act_protect(const struct canary_stage *stage, enum canary_side side)
{
	void *map = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, stage->file[side], 0);

	/* Mapping for reading is not judged: its failure is never the expected answer. */
	if (map == MAP_FAILED)
		return -EIO;
	return result(mprotect(map, 1, PROT_READ | PROT_EXEC));
}

static int talk_unix(const struct canary_stage *stage, int type, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct sockaddr *to = (const struct sockaddr *)&address;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", stage->dir, name);
	if (fd < 0)
		return -EIO;
	if (type == SOCK_STREAM)
		return result(connect(fd, to, sizeof(address)));
	return result(sendto(fd, "", 1, MSG_DONTWAIT, to, sizeof(address)));
}

static int act_unix_connect(const struct canary_stage *stage, enum canary_side side)
{
	(void)side;
	return talk_unix(stage, SOCK_STREAM, "stream");
}

static int act_unix_send(const struct canary_stage *stage, enum canary_side side)
{
	(void)side;
	return talk_unix(stage, SOCK_DGRAM, "dgram");
}

static int talk_inet(const struct canary_stage *stage, enum canary_peer peer, int family, int type)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to = { .any.sa_family = (sa_family_t)family };
	socklen_t length = family == AF_INET ? sizeof(to.v4) : sizeof(to.v6);
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (family == AF_INET) {
		to.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		to.v4.sin_port = stage->ports[peer];
	} else {
		to.v6.sin6_addr = in6addr_loopback;
		to.v6.sin6_port = stage->ports[peer];
	}
	if (fd < 0)
		return errno == EAFNOSUPPORT ? -EAFNOSUPPORT : -EIO;
	if (type == SOCK_STREAM)
		return result(connect(fd, &to.any, length));
	return result(sendto(fd, "", 1, MSG_DONTWAIT, &to.any, length));
}

static int act_tcp4(const struct canary_stage *stage, enum canary_side side)
{
	(void)side;
	return talk_inet(stage, CANARY_TCP4, AF_INET, SOCK_STREAM);
}

static int act_tcp6(const struct canary_stage *stage, enum canary_side side)
{
	(void)side;
	return talk_inet(stage, CANARY_TCP6, AF_INET6, SOCK_STREAM);
}

static int act_udp4(const struct canary_stage *stage, enum canary_side side)
{
	(void)side;
	return talk_inet(stage, CANARY_UDP4, AF_INET, SOCK_DGRAM);
}

static int act_udp6(const struct canary_stage *stage, enum canary_side side)
{
	(void)side;
	return talk_inet(stage, CANARY_UDP6, AF_INET6, SOCK_DGRAM);
}

static int act_raw(const struct canary_stage *stage, enum canary_side side)
{
	(void)stage;
	(void)side;
	return result(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

/* In a mount namespace of our own: what should succeed by mistake is gone with the process. */
static int act_mount(const struct canary_stage *stage, enum canary_side side)
{
	return result(mount("none", path_of(stage, side, "mount").text, "tmpfs", 0, NULL));
}

static int act_move_mount(const struct canary_stage *stage, enum canary_side side)
{
	return result(syscall(SYS_move_mount, stage->mount, "", AT_FDCWD,
			      path_of(stage, side, "mount").text, MOVE_MOUNT_F_EMPTY_PATH));
}

static int act_removexattr(const struct canary_stage *stage, enum canary_side side)
{
	return result(removexattr(path_of(stage, side, "read").text, "trusted.picket"));
}

static int act_utimes(const struct canary_stage *stage, enum canary_side side)
{
	return result(utimensat(AT_FDCWD, path_of(stage, side, "read").text, NULL, 0));
}

/* Where a file system has no such flags the answer is another, unless it is refused before. */
static int act_flags(const struct canary_stage *stage, enum canary_side side)
{
	int flags = 0;

	return result(ioctl(stage->file[side], FS_IOC_SETFLAGS, &flags));
}

/* As act_exec(). */
static int act_memfd(const struct canary_stage *stage, enum canary_side side)
{
	int fd = memfd_create("canary", MFD_CLOEXEC);
	char *argv[] = { (char[]){ "canary" }, NULL };
	char *environment[] = { NULL };

	(void)stage;
	(void)side;
	if (fd < 0 || write(fd, "\n", 1) != 1)
		return -EIO;
	return result(execveat(fd, "", argv, environment, AT_EMPTY_PATH));
}

static int act_abstract(const struct canary_stage *stage, enum canary_side side)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char name[64];

	(void)side;
	if (fd < 0)
		return -EIO;
	canary_stage_abstract(stage, name);
	memcpy(address.sun_path + 1, name, strlen(name));
	return result(
		connect(fd, (const struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))));
}

/* The acts on another process choose our parent, who is no agent's. */
static int act_signal(const struct canary_stage *stage, enum canary_side side)
{
	(void)stage;
	(void)side;
	return result(kill(getppid(), 0));
}

static int act_priority(const struct canary_stage *stage, enum canary_side side)
{
	id_t parent = (id_t)getppid();

	(void)stage;
	(void)side;
	return result(setpriority(PRIO_PROCESS, parent, getpriority(PRIO_PROCESS, parent)));
}

/* What a tracer may read; unlike tracing it is never refused to root by other modules. */
static int act_look(const struct canary_stage *stage, enum canary_side side)
{
	char link[64];
	char text[8];

	(void)stage;
	(void)side;
	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)getppid());
	return result(readlink(link, text, sizeof(text)));
}

static int act_namespace(const struct canary_stage *stage, enum canary_side side)
{
	(void)stage;
	(void)side;
	return result(unshare(CLONE_NEWUTS));
}

static int act_bpf(const struct canary_stage *stage, enum canary_side side)
{
	union bpf_attr attr = { 0 };

	(void)stage;
	(void)side;
	return result(syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, &attr, sizeof(attr)));
}

static int act_capability(const struct canary_stage *stage, enum canary_side side)
{
	(void)stage;
	(void)side;
	return result(setgroups(0, NULL));
}

const struct canary_act canary_acts[] = {
	{ "open", PK_TIER_MODIFY_RETURN, false, EACCES, act_open },
	{ "create a file", PK_TIER_MODIFY_RETURN, false, EACCES, act_create },
	{ "mkdir", PK_TIER_MODIFY_RETURN, false, EACCES, act_mkdir },
	{ "mknod", PK_TIER_MODIFY_RETURN, false, EACCES, act_mknod },
	{ "symlink", PK_TIER_MODIFY_RETURN, false, EACCES, act_symlink },
	{ "link", PK_TIER_MODIFY_RETURN, false, EACCES, act_link },
	{ "rename", PK_TIER_MODIFY_RETURN, false, EACCES, act_rename },
	{ "unlink", PK_TIER_MODIFY_RETURN, false, EACCES, act_unlink },
	{ "rmdir", PK_TIER_MODIFY_RETURN, false, EACCES, act_rmdir },
	{ "truncate", PK_TIER_MODIFY_RETURN, false, EACCES, act_truncate },
	{ "ftruncate", PK_TIER_MODIFY_RETURN, false, EACCES, act_ftruncate },
	{ "chmod", PK_TIER_MODIFY_RETURN, false, EACCES, act_chmod },
	{ "chown", PK_TIER_MODIFY_RETURN, false, EACCES, act_chown },
	{ "setxattr", PK_TIER_MODIFY_RETURN, false, EACCES, act_setxattr },
	{ "execve", PK_TIER_MODIFY_RETURN, false, EACCES, act_exec },
	{ "mmap executable", PK_TIER_MODIFY_RETURN, false, EACCES, act_map },
	{ "mprotect executable", PK_TIER_MODIFY_RETURN, false, EACCES, act_protect },
	{ "connect to a unix socket", PK_TIER_MODIFY_RETURN, false, EACCES, act_unix_connect },
	{ "send to a unix socket", PK_TIER_MODIFY_RETURN, false, EACCES, act_unix_send },
	{ "connect by TCP over IPv4", PK_TIER_NETWORK, false, EPERM, act_tcp4 },
	{ "connect by TCP over IPv6", PK_TIER_NETWORK, false, EPERM, act_tcp6 },
	{ "send by UDP over IPv4", PK_TIER_NETWORK, false, EPERM, act_udp4 },
	{ "send by UDP over IPv6", PK_TIER_NETWORK, false, EPERM, act_udp6 },
	{ "open a raw socket", PK_TIER_NETWORK, false, EPERM, act_raw },
	{ "ask a resolver for a name", PK_TIER_NETWORK, true, EPERM, canary_act_question },
	{ "bind a port", PK_TIER_NETWORK, false, EPERM, canary_act_bind },
	{ "listen", PK_TIER_MODIFY_RETURN, false, EPERM, canary_act_listen },
	{ "change the network by netlink", PK_TIER_MODIFY_RETURN, false, EPERM,
	  canary_act_netlink },
	{ "mount", PK_TIER_MODIFY_RETURN, false, EPERM, act_mount },
	{ "move_mount", PK_TIER_MODIFY_RETURN, false, EPERM, act_move_mount },
	{ "removexattr", PK_TIER_MODIFY_RETURN, false, EACCES, act_removexattr },
	{ "utimensat", PK_TIER_MODIFY_RETURN, false, EACCES, act_utimes },
	{ "set inode flags", PK_TIER_MODIFY_RETURN, false, EACCES, act_flags },
	{ "run a memfd", PK_TIER_MODIFY_RETURN, false, EACCES, act_memfd },
	{ "connect to an abstract socket", PK_TIER_MODIFY_RETURN, false, EACCES, act_abstract },
	{ "signal another process", PK_TIER_MODIFY_RETURN, false, EPERM, act_signal },
	{ "set the priority of another process", PK_TIER_MODIFY_RETURN, false, EPERM,
	  act_priority },
	{ "look into another process", PK_TIER_MODIFY_RETURN, false, EACCES, act_look },
	{ "unshare a namespace", PK_TIER_MODIFY_RETURN, false, EPERM, act_namespace },
	{ "call bpf", PK_TIER_MODIFY_RETURN, false, EPERM, act_bpf },
	{ "use a capability", PK_TIER_MODIFY_RETURN, false, EPERM, act_capability },
};

_Static_assert(sizeof(canary_acts) / sizeof(canary_acts[0]) == CANARY_ACTS, "counted");
