/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the canary's acts act on: a few small files for each side and sockets of our own to talk to.
 */
#include "engine/canary_acts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/mem.h"

static int make_file(const char *dir, const char *name, mode_t mode, int *ret_fd)
{
	CLEAN_FREE char *path = NULL;
	CLEAN_FD int fd = -1;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	/* One byte that no loader of programs takes for a program. */
	if (fd < 0 || write(fd, "\n", 1) != 1)
		return -errno;
	if (ret_fd)
		*ret_fd = TAKE_FD(fd);
	return 0;
}

static int make_dir(const char *dir, const char *name)
{
	CLEAN_FREE char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return mkdir(path, 0700) ? -errno : 0;
}

static int make_side(struct canary_stage *stage, enum canary_side side)
{
	static const char *const files[] = { "read", "gone", "from" };
	char name[32];
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(name, sizeof(name), "%d-%s", (int)side, files[i]);
		r = make_file(stage->dir, name, 0600, NULL);
	}
	if (r == 0) {
		(void)snprintf(name, sizeof(name), "%d-file", (int)side);
		r = make_file(stage->dir, name, 0600, &stage->file[side]);
	}
	if (r == 0) {
		/* Closed before it is run: a file open for writing cannot be. */
		(void)snprintf(name, sizeof(name), "%d-program", (int)side);
		r = make_file(stage->dir, name, 0700, NULL);
	}
	if (r == 0) {
		(void)snprintf(name, sizeof(name), "%d-dir", (int)side);
		r = make_dir(stage->dir, name);
	}
	if (r == 0) {
		(void)snprintf(name, sizeof(name), "%d-mount", (int)side);
		r = make_dir(stage->dir, name);
	}
	return r;
}

/* A socket on a loopback address, at a port that the kernel chooses; left out where it fails. */
static void make_inet(struct canary_stage *stage, enum canary_peer peer, int family, int type)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = { .any.sa_family = (sa_family_t)family };
	socklen_t length = family == AF_INET ? sizeof(address.v4) : sizeof(address.v6);
	CLEAN_FD int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (family == AF_INET)
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		address.v6.sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, &address.any, length) || getsockname(fd, &address.any, &length))
		return;
	if (type == SOCK_STREAM && listen(fd, 4))
		return;
	stage->ports[peer] = family == AF_INET ? address.v4.sin_port : address.v6.sin6_port;
	stage->peers[peer] = TAKE_FD(fd);
}

static int make_unix(struct canary_stage *stage, enum canary_peer peer, int type, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEAN_FD int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", stage->dir, name);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		return -errno;
	if (type == SOCK_STREAM && listen(fd, 4))
		return -errno;
	stage->peers[peer] = TAKE_FD(fd);
	return 0;
}

void canary_stage_abstract(const struct canary_stage *stage, char name[static 64])
{
	const char *base = strrchr(stage->dir, '/');

	(void)snprintf(name, 64, "%s", base ? base + 1 : stage->dir);
}

static int make_abstract(struct canary_stage *stage)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length;
	CLEAN_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char name[64];

	canary_stage_abstract(stage, name);
	memcpy(address.sun_path + 1, name, strlen(name));
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, length) || listen(fd, 4))
		return -errno;
	stage->peers[CANARY_ABSTRACT] = TAKE_FD(fd);
	return 0;
}

int canary_stage_enter(struct canary_stage *stage)
{
	int fs;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	stage->mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	return stage->mount < 0 ? -errno : 0;
}

int canary_stage_make(const char *dir, struct canary_stage *ret_stage)
{
	CLEAN(canary_stage_reset) struct canary_stage stage = { .dir = dir };
	int r;

	memset(stage.file, 0xff, sizeof(stage.file));
	memset(stage.peers, 0xff, sizeof(stage.peers));
	r = make_side(&stage, CANARY_CONTROL);
	if (r == 0)
		r = make_side(&stage, CANARY_INSIDE);
	if (r == 0)
		r = make_unix(&stage, CANARY_UNIX_STREAM, SOCK_STREAM, "stream");
	if (r == 0)
		r = make_unix(&stage, CANARY_UNIX_DGRAM, SOCK_DGRAM, "dgram");
	if (r == 0)
		r = make_abstract(&stage);
	if (r)
		return r;
	make_inet(&stage, CANARY_TCP4, AF_INET, SOCK_STREAM);
	make_inet(&stage, CANARY_TCP6, AF_INET6, SOCK_STREAM);
	make_inet(&stage, CANARY_UDP4, AF_INET, SOCK_DGRAM);
	make_inet(&stage, CANARY_UDP6, AF_INET6, SOCK_DGRAM);
	*ret_stage = stage;
	memset(stage.file, 0xff, sizeof(stage.file));
	memset(stage.peers, 0xff, sizeof(stage.peers));
	return 0;
}

void canary_stage_reset(struct canary_stage *stage)
{
	for (size_t i = 0; i < CANARY_SIDES; i++)
		mem_close_fd(&stage->file[i]);
	for (size_t i = 0; i < CANARY_PEERS; i++)
		mem_close_fd(&stage->peers[i]);
}
