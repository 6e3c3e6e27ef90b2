/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three descriptors: the rings', the signals' and the listener's. The end of the child is a signal (SIGCHLD) too; we
 * may be the init of a pid namespace, so every child that ended is reaped.
 */
#include "engine/watch.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/mem.h"

/* 1: the child has ended, its status is stored; 0: not yet. */
static int reap(pid_t child, int *ret_wait_status)
{
	int ended = 0;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == child) {
			*ret_wait_status = status;
			ended = 1;
		}
	}
	return ended;
}

int watch_signals(const struct signals *signals, const struct spawn *child, int *ret_wait_status)
{
	struct signalfd_siginfo info;

	while (signals_next(signals, &info)) {
		/* The child may be gone already; then there is nobody to tell. */
		if (signals_is_passed_on(&info))
			(void)pidfd_send_signal(child->pidfd, (int)info.ssi_signo, NULL, 0);
	}
	return reap(child->pid, ret_wait_status);
}

static int add(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* One call; when no process has the filter any more, the listener is only ever ready. */
static int take_call(const struct seccomp_watch *calls, int epoll, const struct epoll_event *event)
{
	if (calls->listener < 0 || event->data.fd != calls->listener)
		return 0;
	if (event->events & EPOLLIN)
		return seccomp_answer(calls);
	return epoll_ctl(epoll, EPOLL_CTL_DEL, calls->listener, NULL) ? -errno : 0;
}

/* Wait for something; attend to records and calls. */
static int attend(int epoll, struct ring_buffer *rings, const struct seccomp_watch *calls)
{
	struct epoll_event events[3];
	int count = epoll_wait(epoll, events, 3, -1);
	int r = 0;

	if (count < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; r == 0 && i < count; i++)
		r = take_call(calls, epoll, &events[i]);
	if (r)
		return r;
	r = ring_buffer__consume(rings);
	/* EAGAIN: there is more, after the signals. */
	return r < 0 && r != -EAGAIN ? r : 0;
}

int watch_child(struct ring_buffer *rings, const struct signals *signals,
		const struct seccomp_watch *calls, const struct spawn *child, int *ret_wait_status)
{
	CLEAN_FD int epoll = epoll_create1(EPOLL_CLOEXEC);
	int r = epoll < 0 ? -errno : add(epoll, ring_buffer__epoll_fd(rings));

	if (r == 0)
		r = add(epoll, signals->fd);
	if (r == 0 && calls->listener >= 0)
		r = add(epoll, calls->listener);
	while (r == 0) {
		r = attend(epoll, rings, calls);
		if (r == 0)
			r = watch_signals(signals, child, ret_wait_status);
	}
	return r < 0 ? r : 0;
}
