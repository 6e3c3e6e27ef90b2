/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes from a client: bytes, descriptors, and who sent them. What is kept of it is bounded.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "control/server_private.h"

/* The most that one message can carry: with less room the kernel would close what does not fit. */
#define MESSAGE_FDS_MAX 253
#define BUFFER_FIRST 4096U

/* The line with byte @at came with more descriptors than were kept. */
static void note_surplus(struct client *client, size_t at)
{
	if (!client->surplus)
		client->surplus_first = at;
	client->surplus = true;
	client->surplus_last = at;
}

/* Keep descriptors that came with bytes up to the @used'th: those of its last line. */
static void keep_fds(struct client *client, const struct cmsghdr *part, size_t used)
{
	size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fds[MESSAGE_FDS_MAX];

	count = count > MESSAGE_FDS_MAX ? MESSAGE_FDS_MAX : count;
	memcpy(fds, CMSG_DATA(part), count * sizeof(int));
	for (size_t i = 0; i < count; i++) {
		if (i < SERVER_FDS_MAX && client->fd_count < CLIENT_FDS_MAX) {
			client->fds[client->fd_count].at = used - 1;
			client->fds[client->fd_count++].fd = fds[i];
			continue;
		}
		note_surplus(client, used - 1);
		closer_take(client->server->closer, fds[i]);
	}
}

/* What came beside the bytes. False: they are not from the process that connected. */
static bool take_parts(struct client *client, struct msghdr *message, size_t used)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(message);
	struct ucred cred = { 0 };

	for (; part; part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_RIGHTS)
			keep_fds(client, part, used);
		else if (part->cmsg_type == SCM_CREDENTIALS)
			memcpy(&cred, CMSG_DATA(part), sizeof(cred));
	}
	if (message->msg_flags & MSG_CTRUNC)
		note_surplus(client, used - 1);
	return cred.pid == client->peer.pid;
}

static bool make_room(struct client *client)
{
	size_t size = client->in_size ? client->in_size * 4 : BUFFER_FIRST;
	char *grown;

	if (client->in_used < client->in_size)
		return true;
	size = size > CONTROL_REQUEST_MAX ? CONTROL_REQUEST_MAX : size;
	grown = realloc(client->in, size);
	if (!grown)
		return false;
	client->in = grown;
	client->in_size = size;
	return true;
}

static ssize_t receive(struct client *client, struct msghdr *message)
{
	struct iovec iov = { .iov_base = client->in + client->in_used,
			     .iov_len = client->in_size - client->in_used };
	ssize_t got;

	message->msg_iov = &iov;
	message->msg_iovlen = 1;
	do
		got = recvmsg(client->fd, message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	message->msg_iov = NULL;
	return got < 0 ? -errno : got;
}

void client_read(struct client *client, __u64 now_ms)
{
	_Alignas(struct cmsghdr) char
		parts[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))];
	struct msghdr message = { .msg_control = parts, .msg_controllen = sizeof(parts) };
	__u64 begin_us = server_now_us();
	ssize_t got = make_room(client) ? receive(client, &message) : -ENOMEM;

	client->user->spent_us += server_now_us() - begin_us;
	if (got == -EAGAIN)
		return;
	if (got < 0) {
		client->dead = true;
		return;
	}
	if (got == 0)
		client->eof = true;
	client->in_used += (size_t)got;
	if (got > 0 && !take_parts(client, &message, client->in_used)) {
		client_end(client, CONTROL_DENIED,
			   "a connection is for the process that made it: connect again");
		return;
	}
	client_take_lines(client, now_ms);
}
