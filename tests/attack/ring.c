/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts through io_uring, by raw system calls: the kernel works in this task's context, in a worker
 * of its own (async), or in a polling thread (poll).
 */
#include "net.h"
#include "ring.h"

#include <linux/openat2.h>

static int one(const struct io_uring_sqe *sqe)
{
	struct ring ring;

	return open_ring(&ring, 0) ? -1 : submit(&ring, sqe);
}

static struct io_uring_sqe by_path(int opcode, const char *path)
{
	struct io_uring_sqe sqe = { .opcode = (__u8)opcode,
				    .fd = AT_FDCWD,
				    .addr = (unsigned long)path };

	return sqe;
}

static int act_read(char **a)
{
	struct io_uring_sqe sqe = by_path(IORING_OP_OPENAT, a[0]);

	return one(&sqe);
}

/* By a worker thread of the kernel. */
static int act_async(char **a)
{
	struct io_uring_sqe sqe = by_path(IORING_OP_OPENAT, a[0]);

	sqe.flags = IOSQE_ASYNC;
	return one(&sqe);
}

static int act_poll(char **a)
{
	struct io_uring_sqe sqe = by_path(IORING_OP_OPENAT, a[0]);
	struct ring ring;

	return open_ring(&ring, IORING_SETUP_SQPOLL) ? -1 : submit(&ring, &sqe);
}

static int act_create(char **a)
{
	struct io_uring_sqe sqe = by_path(IORING_OP_OPENAT, a[0]);

	sqe.open_flags = O_CREAT | O_EXCL | O_WRONLY;
	sqe.len = 0600;
	return one(&sqe);
}

static int act_openat2(char **a)
{
	struct open_how how = { .flags = O_RDONLY };
	struct io_uring_sqe sqe = by_path(IORING_OP_OPENAT2, a[0]);

	sqe.len = sizeof(how);
	sqe.off = (unsigned long)&how;
	return one(&sqe);
}

static int act_unlink(char **a)
{
	struct io_uring_sqe sqe = by_path(IORING_OP_UNLINKAT, a[0]);

	return one(&sqe);
}

static int act_mkdir(char **a)
{
	struct io_uring_sqe sqe = by_path(IORING_OP_MKDIRAT, a[0]);

	sqe.len = 0755;
	return one(&sqe);
}

static int two_paths(int opcode, char **a)
{
	struct io_uring_sqe sqe = by_path(opcode, a[0]);

	sqe.off = (unsigned long)a[1];
	sqe.len = (__u32)AT_FDCWD;
	return one(&sqe);
}

static int act_rename(char **a)
{
	return two_paths(IORING_OP_RENAMEAT, a);
}

static int act_link(char **a)
{
	return two_paths(IORING_OP_LINKAT, a);
}

static int act_symlink(char **a)
{
	struct io_uring_sqe sqe = by_path(IORING_OP_SYMLINKAT, a[0]);

	sqe.off = (unsigned long)a[1];
	return one(&sqe);
}

static int act_setxattr(char **a)
{
	struct io_uring_sqe sqe = by_path(IORING_OP_SETXATTR, a[1]);

	sqe.off = (unsigned long)"1";
	sqe.addr3 = (unsigned long)a[0];
	sqe.len = 1;
	return one(&sqe);
}

/* A file in the ring's own table, which never was a descriptor of this process. */
static int act_direct(char **a)
{
	struct io_uring_sqe sqe = by_path(IORING_OP_OPENAT, a[0]);
	int slots[1] = { -1 };
	struct ring ring;

	if (open_ring(&ring, 0) ||
	    syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, slots, 1) < 0)
		return -1;
	sqe.file_index = 1;
	return submit(&ring, &sqe);
}

/* The credentials of now, kept for later, when this process may have fewer. */
static int act_credentials(char **a)
{
	struct io_uring_sqe sqe = by_path(IORING_OP_OPENAT, a[0]);
	struct ring ring;
	long id;

	if (open_ring(&ring, 0))
		return -1;
	id = syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_PERSONALITY, NULL, 0);
	if (id < 0 || setresuid(1000, 1000, 1000))
		return -1;
	sqe.personality = (__u16)id;
	return submit(&ring, &sqe);
}

static int connect_with(char **a, __u8 flags)
{
	struct place to = place_of(a[0], a[1]);
	struct io_uring_sqe sqe = { .opcode = IORING_OP_CONNECT, .off = to.length };
	struct ring r;
	int fd = socket_to(&to, SOCK_STREAM);

	sqe.fd = fd;
	sqe.flags = flags;
	sqe.addr = (unsigned long)&to.at;
	return open_ring(&r, 0) || submit(&r, &sqe) < 0 ? missed() : word(fd);
}

static int act_connect(char **a)
{
	return connect_with(a, 0);
}

static int act_connect_async(char **a)
{
	return connect_with(a, IOSQE_ASYNC);
}

/* The socket is in the ring's own table only. */
static int act_connect_fixed(char **a)
{
	struct place to = place_of(a[0], a[1]);
	struct io_uring_sqe sqe = { .opcode = IORING_OP_CONNECT,
				    .off = to.length,
				    .flags = IOSQE_FIXED_FILE };
	struct ring r;
	int fd = socket_to(&to, SOCK_STREAM);

	sqe.addr = (unsigned long)&to.at;
	if (fd < 0 || open_ring(&r, 0) ||
	    syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_FILES, &fd, 1) < 0)
		return -1;
	return submit(&r, &sqe) < 0 ? missed() : word(fd);
}

static int act_sendmsg(char **a)
{
	struct place to = place_of(a[0], a[1]);
	struct iovec iov = { "attack", 6 };
	struct msghdr m = {
		.msg_name = &to.at, .msg_namelen = to.length, .msg_iov = &iov, .msg_iovlen = 1
	};
	struct io_uring_sqe sqe = { .opcode = IORING_OP_SENDMSG, .len = 1 };
	struct ring r;
	int fd = socket_to(&to, SOCK_DGRAM);

	sqe.fd = fd;
	sqe.addr = (unsigned long)&m;
	return open_ring(&r, 0) || submit(&r, &sqe) < 0 ? missed() : hear(fd, 6);
}

/* send with a destination, without a message header: kernels since 6.0. */
static int act_zero_copy(char **a)
{
	struct place to = place_of(a[0], a[1]);
	struct io_uring_sqe sqe = { .opcode = IORING_OP_SEND_ZC, .len = 6 };
	struct ring r;
	int fd = socket_to(&to, SOCK_DGRAM);

	sqe.fd = fd;
	sqe.addr = (unsigned long)"attack";
	sqe.addr2 = (unsigned long)&to.at;
	sqe.addr_len = (uint16_t)to.length;
	return open_ring(&r, 0) || submit(&r, &sqe) < 0 ? missed() : hear(fd, 6);
}

/* socket FAMILY TYPE PROTOCOL */
static int act_socket(char **a)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_SOCKET,
				    .fd = (int)number(a[0]),
				    .off = (unsigned long)number(a[1]),
				    .len = (uint32_t)number(a[2]) };
	struct ring r;

	return open_ring(&r, 0) || submit(&r, &sqe) < 0 ? -1 : 0;
}

static const struct act acts[] = {
	{ "read", 1, act_read },
	{ "async", 1, act_async },
	{ "poll", 1, act_poll },
	{ "create", 1, act_create },
	{ "openat2", 1, act_openat2 },
	{ "unlink", 1, act_unlink },
	{ "mkdir", 1, act_mkdir },
	{ "rename", 2, act_rename },
	{ "link", 2, act_link },
	{ "symlink", 2, act_symlink },
	{ "setxattr", 2, act_setxattr },
	{ "direct", 1, act_direct },
	{ "credentials", 1, act_credentials },
	{ "connect", 2, act_connect },
	{ "connect-async", 2, act_connect_async },
	{ "connect-fixed", 2, act_connect_fixed },
	{ "sendmsg", 2, act_sendmsg },
	{ "zero-copy", 2, act_zero_copy },
	{ "socket", 3, act_socket },
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
