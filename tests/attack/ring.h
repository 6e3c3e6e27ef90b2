/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request at a time through io_uring, by raw system calls.
 */
#ifndef TESTS_ATTACK_RING_H
#define TESTS_ATTACK_RING_H

#include "attack.h"

#include <linux/io_uring.h>
#include <sys/mman.h>

/** A ring as the kernel laid it out. */
struct ring {
	int fd;
	struct io_uring_params params;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqes;
};

static inline unsigned int *at(char *base, unsigned int offset)
{
	return (unsigned int *)(void *)(base + offset);
}

static inline void *map(const struct ring *ring, size_t size, off_t what)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, what);
}

static inline int open_ring(struct ring *ring, unsigned int flags)
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
static inline int submit(struct ring *ring, const struct io_uring_sqe *sqe)
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

#endif
