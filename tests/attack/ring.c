/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Acts through io_uring, by raw system calls: the kernel works in this task's context, in a worker
 * of its own (async), or in a polling thread (poll).
 */
#include "attack.h"

#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/socket.h>

struct ring {
	int fd;
	struct io_uring_params params;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqes;
};

static unsigned int *at(char *base, unsigned int offset)
{
	return (unsigned int *)(void *)(base + offset);
}

static void *map(const struct ring *ring, size_t size, off_t what)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, what);
}

static int open_ring(struct ring *ring, unsigned int flags)
{
	memset(ring, 0, sizeof(*ring));
	ring->params.flags = flags;
	ring->params.sq_thread_idle = 2000;
	ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
	if (ring->fd < 0)
		return -1;
	ring->sq = map(ring, ring->params.sq_off.array + 4 * sizeof(int), IORING_OFF_SQ_RING);
	ring->cq = map(ring, ring->params.cq_off.cqes + 8 * sizeof(struct io_uring_cqe),
		       IORING_OFF_CQ_RING);
	ring->sqes = map(ring, 4 * sizeof(*ring->sqes), IORING_OFF_SQES);
	return ring->sq == MAP_FAILED || ring->cq == MAP_FAILED || ring->sqes == MAP_FAILED ? -1 :
											      0;
}

/* Submit one request and wait for its answer: 0, or -1 with the errno. */
static int submit(struct ring *ring, const struct io_uring_sqe *sqe)
{
	const struct io_uring_cqe *cqe;
	unsigned int flags = IORING_ENTER_GETEVENTS;

	ring->sqes[0] = *sqe;
	at(ring->sq, ring->params.sq_off.array)[0] = 0;
	__atomic_store_n(at(ring->sq, ring->params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (ring->params.flags & IORING_SETUP_SQPOLL)
		flags |= IORING_ENTER_SQ_WAKEUP;
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, flags, NULL, 0) < 0)
		return -1;
	cqe = (const struct io_uring_cqe *)(void *)(ring->cq + ring->params.cq_off.cqes);
	return cqe->res < 0 ? fail(-cqe->res) : 0;
}

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

static int act_connect(char **a)
{
	static struct sockaddr_in to;
	struct io_uring_sqe sqe = { .opcode = IORING_OP_CONNECT, .off = sizeof(to) };

	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)number(a[1]));
	if (inet_pton(AF_INET, a[0], &to.sin_addr) != 1)
		return fail(EINVAL);
	sqe.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sqe.addr = (unsigned long)&to;
	return sqe.fd < 0 ? -1 : one(&sqe);
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
};

int main(int argc, char **argv)
{
	return attack_main(argc, argv, acts, COUNT(acts));
}
