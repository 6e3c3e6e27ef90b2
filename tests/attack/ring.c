/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring: one operation through io_uring, submitted by raw system calls; says "ok" or the errno's name.
 * The kernel does the work in this task's context or, with sqpoll, in a thread of its own.
 *
 *   ring read|create PATH      openat
 *   ring sqpoll PATH           openat by the kernel's polling thread
 *   ring connect ADDRESS PORT  connect of a TCP socket
 *   ring unlink PATH           unlinkat
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

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

static int open_ring(struct ring *ring, unsigned int flags)
{
	memset(ring, 0, sizeof(*ring));
	ring->params.flags = flags;
	ring->params.sq_thread_idle = 2000;
	ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
	if (ring->fd < 0)
		return -1;
	ring->sq = mmap(NULL, ring->params.sq_off.array + 4 * sizeof(int), PROT_READ | PROT_WRITE,
			MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, ring->params.cq_off.cqes + 8 * sizeof(struct io_uring_cqe),
			PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, 4 * sizeof(*ring->sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
			  ring->fd, IORING_OFF_SQES);
	return ring->sq == MAP_FAILED || ring->cq == MAP_FAILED || ring->sqes == MAP_FAILED ? -1 :
											      0;
}

/* Submit one request and wait for its answer: a result, or -errno. */
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
		return -errno;
	cqe = (const struct io_uring_cqe *)(void *)(ring->cq + ring->params.cq_off.cqes);
	return cqe->res;
}

static void fill_path(struct io_uring_sqe *sqe, int opcode, const char *path, int flags)
{
	sqe->opcode = (__u8)opcode;
	sqe->fd = AT_FDCWD;
	sqe->addr = (unsigned long)path;
	sqe->open_flags = (__u32)flags;
	/* The mode of a new file; other operations want zero here. */
	sqe->len = flags & O_CREAT ? 0600 : 0;
}

static int fill_connect(struct io_uring_sqe *sqe, const char *address, const char *port)
{
	static struct sockaddr_in to;

	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return -1;
	sqe->opcode = IORING_OP_CONNECT;
	sqe->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sqe->addr = (unsigned long)&to;
	sqe->off = sizeof(to);
	return sqe->fd < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct io_uring_sqe sqe = { 0 };
	struct ring ring;
	int r;

	if (argc < 3)
		return 2;
	if (open_ring(&ring, strcmp(argv[1], "sqpoll") ? 0 : IORING_SETUP_SQPOLL)) {
		printf("no-ring\n");
		return 0;
	}
	if (!strcmp(argv[1], "connect") && argc == 4) {
		if (fill_connect(&sqe, argv[2], argv[3]))
			return 2;
	} else if (!strcmp(argv[1], "unlink")) {
		fill_path(&sqe, IORING_OP_UNLINKAT, argv[2], 0);
	} else if (!strcmp(argv[1], "create")) {
		fill_path(&sqe, IORING_OP_OPENAT, argv[2], O_CREAT | O_EXCL | O_WRONLY);
	} else {
		fill_path(&sqe, IORING_OP_OPENAT, argv[2], O_RDONLY);
	}
	r = submit(&ring, &sqe);
	printf("%s\n", r < 0 ? strerrorname_np(-r) : "ok");
	return 0;
}
