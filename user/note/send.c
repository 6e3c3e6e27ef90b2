/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A datagram that was read is charged to its sender no more: that is the only
 * answer there is, and all that is needed.
 */
#include "note/send.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/mem.h"

/* Between two looks: nothing wakes a sender whose datagram was read. */
#define STEP_MS 1

static long now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

static int connect_path(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

/* Waits while its queue is full. */
static int send_bytes(int fd, const char *bytes, size_t length, long end)
{
	for (;;) {
		struct pollfd room = { .fd = fd, .events = POLLOUT };
		long left = end - now_ms();

		if (send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (left <= 0)
			return -ETIMEDOUT;
		(void)poll(&room, 1, (int)left);
	}
}

static int wait_until_read(int fd, long end)
{
	int unread = 0;

	for (;;) {
		if (ioctl(fd, SIOCOUTQ, &unread))
			return -errno;
		if (unread == 0)
			return 0;
		if (now_ms() >= end)
			return -ETIMEDOUT;
		(void)poll(NULL, 0, STEP_MS);
	}
}

int note_send(const char *path, const struct note *note, int wait_ms)
{
	CLEAN_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CLEAN_FREE char *bytes = NULL;
	long end = now_ms() + wait_ms;
	size_t length = 0;
	int r = fd < 0 ? -errno : connect_path(fd, path);

	if (r)
		return r;
	bytes = note_encode(note, &length);
	if (!bytes)
		return -ENOMEM;
	r = send_bytes(fd, bytes, length, end);
	return r ? r : wait_until_read(fd, end);
}
