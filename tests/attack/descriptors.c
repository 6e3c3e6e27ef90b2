/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts on descriptors that somebody else opened: received over a socket, inherited from before the
 * policy, or taken out of another process.
 */
#include "attack.h"

#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

static int connect_to(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(to.sun_path))
		return -1;
	strcpy(to.sun_path, path);
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) ? -1 : fd;
}

/* The descriptor that came with the message: -1 and ENODATA when there was none. */
static int take(int from)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} u = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)
	};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) < 0)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int)))
		return fail(ENODATA);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* Ask the sender outside for a descriptor: MODE is what it opens PATH with. */
static int receive(char **a)
{
	char request[PATH_MAX + 16];
	int to = connect_to(a[0]);
	int length = snprintf(request, sizeof(request), "%s %s\n", a[1], a[2]);

	if (to < 0 || write(to, request, (size_t)length) != length)
		return -1;
	return take(to);
}

static int act_receive(char **a)
{
	return opened(receive(a));
}

/* Received by read of io_uring or recvmmsg: other ways to the same place. */
static int act_receive_many(char **a)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} u = { 0 };
	char request[PATH_MAX + 16], byte;
	int to = connect_to(a[0]);
	int length = snprintf(request, sizeof(request), "%s %s\n", a[1], a[2]);
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = &u,
					  .msg_controllen = sizeof(u) } };

	if (to < 0 || write(to, request, (size_t)length) != length ||
	    recvmmsg(to, &m, 1, 0, NULL) != 1)
		return -1;
	return CMSG_FIRSTHDR(&m.msg_hdr) ? 0 : fail(ENODATA);
}

/* receive-use HOW SENDER MODE PATH INTO: get the content, or change it, by every way there is. */
static int use(const char *how, int fd, const char *into)
{
	int out = open(into, O_RDWR | O_CREAT | O_CLOEXEC, 0600), ends[2];
	char byte;
	void *map;

	if (out < 0)
		return -1;
	if (!strcmp(how, "sendfile"))
		return sendfile(out, fd, NULL, 16) > 0 ? 0 : -1;
	if (!strcmp(how, "splice"))
		return pipe(ends) || splice(fd, NULL, ends[1], NULL, 16, 0) <= 0 ? -1 : 0;
	if (!strcmp(how, "copy"))
		return copy_file_range(fd, NULL, out, NULL, 16, 0) > 0 ? 0 : -1;
	if (!strcmp(how, "clone"))
		return ioctl(out, FICLONE, fd);
	if (!strcmp(how, "read"))
		return pread(fd, &byte, 1, 0) == 1 ? 0 : -1;
	if (!strcmp(how, "write"))
		return pwrite(fd, "x", 1, 0) == 1 ? 0 : -1;
	if (!strcmp(how, "truncate"))
		return ftruncate(fd, 3);
	if (!strcmp(how, "allocate"))
		return fallocate(fd, 0, 0, 8192);
	if (!strcmp(how, "punch"))
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
	if (!strcmp(how, "chmod"))
		return fchmod(fd, 0640);
	if (!strcmp(how, "chown"))
		return fchown(fd, getuid(), getgid());
	if (!strcmp(how, "xattr"))
		return fsetxattr(fd, "user.attack", "1", 1, 0);
	if (!strcmp(how, "utimes"))
		return futimens(fd, NULL);
	if (!strcmp(how, "map")) {
		map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		return map == MAP_FAILED ? -1 : 0;
	}
	if (!strcmp(how, "mprotect")) {
		map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		return map == MAP_FAILED ? -1 : mprotect(map, 4096, PROT_READ | PROT_WRITE);
	}
	return fail(EINVAL);
}

static int act_receive_use(char **a)
{
	int fd = receive(a + 1);

	return fd < 0 ? -1 : use(a[0], fd, a[4]);
}

/* use HOW FD INTO: the descriptor is inherited. */
static int act_use(char **a)
{
	return use(a[0], (int)number(a[1]), a[2]);
}

/* Through /proc the kernel opens the file anew. */
static int act_reopen(char **a)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%s", a[0]);
	return opened(open(path, (int)number(a[1]) | O_CLOEXEC));
}

static int act_pidfd_getfd(char **a)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)number(a[0]), 0);

	if (pidfd < 0)
		return -1;
	return opened((int)syscall(SYS_pidfd_getfd, pidfd, (int)number(a[1]), 0));
}

/* relay FROM: a child gets the descriptor of the sender and hands it on: inside the agent. */
static int act_relay(char **a)
{
	int fd = open(a[0], O_RDONLY | O_CLOEXEC), pair[2];
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} u = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
			    .cmsg_level = SOL_SOCKET,
			    .cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)
	};

	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	memcpy(CMSG_DATA(&u.header), &fd, sizeof(fd));
	if (sendmsg(pair[0], &message, 0) < 0)
		return -1;
	return opened(take(pair[1]));
}

/* connect NAME TYPE: to a socket by its path, or by "@" and an abstract name. */
static int act_connect(char **a)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, (int)number(a[1]) | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(a[0]) >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, a[0], strlen(a[0]));
	if (a[0][0] == '@')
		to.sun_path[0] = '\0';
	return connect(fd, (struct sockaddr *)&to,
		       (socklen_t)(sizeof(sa_family_t) + strlen(a[0]) + (a[0][0] != '@')));
}

static const struct act acts[] = {
	{ "connect", 2, act_connect },
	{ "receive", 3, act_receive },
	{ "receive-many", 3, act_receive_many },
	{ "receive-use", 5, act_receive_use },
	{ "use", 3, act_use },
	{ "reopen", 2, act_reopen },
	{ "pidfd-getfd", 2, act_pidfd_getfd },
	{ "relay", 1, act_relay },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
