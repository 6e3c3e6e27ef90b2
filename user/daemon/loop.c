/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll hands out ready descriptors in turn, so one at a time starves none.
 */
#include "daemon/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

int loop_add(int epoll, struct loop_source *source, __u32 events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, source->fd, &event) ? -errno : 0;
}

void loop_drop(int epoll, struct loop_source *source)
{
	if (source->fd < 0)
		return;
	/* A copy of the descriptor elsewhere would keep it in the set. */
	(void)epoll_ctl(epoll, EPOLL_CTL_DEL, source->fd, NULL);
	mem_close_fd(&source->fd);
}

int loop_add_timer(int epoll, struct loop_source *source)
{
	int r;

	source->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (source->fd < 0)
		return -errno;
	r = loop_add(epoll, source, EPOLLIN);
	if (r)
		mem_close_fd(&source->fd);
	return r;
}

static struct timespec of_ms(unsigned int ms)
{
	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
}

void loop_set_timer(const struct loop_source *source, unsigned int first_ms, unsigned int every_ms)
{
	const struct itimerspec when = {
		.it_value = of_ms(first_ms),
		.it_interval = of_ms(every_ms),
	};

	(void)timerfd_settime(source->fd, 0, &when, NULL);
}

void loop_take_timer(const struct loop_source *source)
{
	__u64 times;

	(void)!read(source->fd, &times, sizeof(times));
}

int loop_wait(int epoll, int timeout_ms)
{
	struct epoll_event event;
	int count = epoll_wait(epoll, &event, 1, timeout_ms);
	struct loop_source *source;

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	if (count == 0)
		return 0;
	source = event.data.ptr;
	source->ready(source->context, event.events);
	return 0;
}
