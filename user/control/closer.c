/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of descriptors and at most a few threads that take from it. A thread may hang in close() for
 * as long as somebody likes: then the others go on, and when all hang, closer_is_full() tells.
 */
#include "control/closer.h"

#include <errno.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

/* More would only let one user hold up more threads. */
#define THREADS_MAX 4
/* Messages taken out of a queue: more than fit into that of a connection that nobody sends to. */
#define MESSAGES_MAX 512
#define STACK_SIZE (64U << 10)
/* closer_free() waits for threads so long at most; then they keep what they have. */
#define FREE_WAIT_S 1

/* A descriptor that waits. */
struct waiting {
	struct waiting *next;
	int fd;
};

struct closer {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct waiting *first;
	struct waiting **last;
	size_t count;
	unsigned int threads;
	unsigned int idle;
	bool stop;
};

/* Never waits for unsent data: that is its owner's affair. */
static void close_foreign(int fd)
{
	const struct linger off = { 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	(void)close(fd);
}

static void close_part(const struct cmsghdr *part)
{
	size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
		close_foreign(fd);
	}
}

/* What other descriptors lie in the queue of a unix socket: taken out, they can be closed with care. */
static void drain(int fd)
{
	_Alignas(struct cmsghdr) char parts[CMSG_SPACE(256 * sizeof(int))];
	char bytes[4096];
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };

	for (unsigned int i = 0; i < MESSAGES_MAX; i++) {
		struct msghdr message = { .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = parts,
					  .msg_controllen = sizeof(parts) };
		struct cmsghdr *part;

		if (recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
			return;
		for (part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
			if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
				close_part(part);
		}
	}
}

static void *work(void *argument)
{
	struct closer *closer = argument;

	(void)pthread_mutex_lock(&closer->lock);
	for (;;) {
		struct waiting *next = closer->first;

		if (!next && closer->stop)
			break;
		if (!next) {
			closer->idle++;
			(void)pthread_cond_wait(&closer->changed, &closer->lock);
			closer->idle--;
			continue;
		}
		closer->first = next->next;
		if (!closer->first)
			closer->last = &closer->first;
		(void)pthread_mutex_unlock(&closer->lock);
		drain(next->fd);
		close_foreign(next->fd);
		free(next);
		(void)pthread_mutex_lock(&closer->lock);
		closer->count--;
	}
	closer->threads--;
	(void)pthread_cond_broadcast(&closer->changed);
	(void)pthread_mutex_unlock(&closer->lock);
	return NULL;
}

/* The lock is held. Signals are for the thread that runs the loop. */
static void start_thread(struct closer *closer)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all;
	sigset_t before;

	if (pthread_attr_init(&attributes))
		return;
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, &attributes, work, closer) == 0)
		closer->threads++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
}

int closer_new(struct closer **ret_closer)
{
	struct closer *closer = calloc(1, sizeof(*closer));

	if (!closer)
		return -ENOMEM;
	(void)pthread_mutex_init(&closer->lock, NULL);
	(void)pthread_cond_init(&closer->changed, NULL);
	closer->last = &closer->first;
	*ret_closer = closer;
	return 0;
}

static void queue(struct closer *closer, int fd)
{
	struct waiting *waiting = malloc(sizeof(*waiting));

	if (!waiting) {
		close_foreign(fd);
		return;
	}
	*waiting = (struct waiting){ .fd = fd };
	(void)pthread_mutex_lock(&closer->lock);
	*closer->last = waiting;
	closer->last = &waiting->next;
	closer->count++;
	if (!closer->idle && closer->threads < THREADS_MAX)
		start_thread(closer);
	(void)pthread_cond_signal(&closer->changed);
	(void)pthread_mutex_unlock(&closer->lock);
}

/* Kinds whose close() asks nobody. By the link: questions to the file itself may wait, too. */
static bool is_harmless(int fd)
{
	static const char *const kinds[] = { "anon_inode:[pidfd]", "pidfd:[",
					     "anon_inode:seccomp notify" };
	char link[32];
	char target[32];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strncmp(target, kinds[i], strlen(kinds[i])) == 0)
			return true;
	}
	return false;
}

void closer_take(struct closer *closer, int fd)
{
	if (fd < 0)
		return;
	if (is_harmless(fd))
		(void)close(fd);
	else
		queue(closer, fd);
}

void closer_take_connection(struct closer *closer, int fd)
{
	int unread = 1;

	if (fd < 0)
		return;
	/* From here on nothing can be sent to it: empty now, it stays empty. */
	(void)shutdown(fd, SHUT_RDWR);
	if (ioctl(fd, SIOCINQ, &unread) == 0 && unread == 0)
		(void)close(fd);
	else
		queue(closer, fd);
}

bool closer_is_full(struct closer *closer)
{
	bool full;

	(void)pthread_mutex_lock(&closer->lock);
	full = closer->count >= CLOSER_WAITING_MAX;
	(void)pthread_mutex_unlock(&closer->lock);
	return full;
}

void closer_free(struct closer **closer)
{
	struct closer *c = TAKE_PTR(*closer);
	struct timespec until;
	int r = 0;

	if (!c)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += FREE_WAIT_S;
	(void)pthread_mutex_lock(&c->lock);
	c->stop = true;
	(void)pthread_cond_broadcast(&c->changed);
	while (c->threads && r == 0)
		r = pthread_cond_timedwait(&c->changed, &c->lock, &until);
	(void)pthread_mutex_unlock(&c->lock);
	/* A thread that hangs still uses it: left to it. */
	if (r)
		return;
	(void)pthread_cond_destroy(&c->changed);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}
