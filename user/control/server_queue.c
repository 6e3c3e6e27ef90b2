/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waits to be sent: bounded for each client and each user; who does not read is dropped.
 */
#include "control/server_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Lines sent by one call. */
#define SEND_LINES 64

/* What a line takes while it waits. */
static size_t cost(const struct segment *segment)
{
	return sizeof(*segment) + segment->size;
}

static void remove_first(struct client *client)
{
	struct segment *first = client->out;

	client->queued -= cost(first);
	client->queued_notes -= first->notification ? cost(first) : 0;
	client->user->queued -= cost(first);
	client->out = first->next;
	if (!client->out)
		client->out_end = &client->out;
	free(first);
}

void client_discard(struct client *client)
{
	while (client->out) {
		client->server->counts.notifications_lost += client->out->notification;
		remove_first(client);
	}
}

/* It does not read: nothing of it is worth keeping. Its end of the socket learns at once. */
static void drop(struct client *client)
{
	client->server->counts.dropped++;
	client_discard(client);
	client->dead = true;
	(void)shutdown(client->fd, SHUT_RDWR);
}

static bool fits(const struct client *client, size_t size, bool notification)
{
	/* Answers are bounded by requests, which wait while much is waiting; nobody asks for events. */
	if (notification && client->queued_notes + size > SERVER_QUEUE_MAX)
		return false;
	return !peer_is_limited(&client->peer) ||
	       client->user->queued + size <= SERVER_QUEUE_OF_USER;
}

size_t client_room(const struct client *client)
{
	size_t user = peer_is_limited(&client->peer) ? client->user->queued : 0;
	size_t room = 0;

	if (!client->dead && client->queued_notes < SERVER_QUEUE_MAX && user < SERVER_QUEUE_OF_USER)
		room = SERVER_QUEUE_MAX - client->queued_notes;
	if (room > SERVER_QUEUE_OF_USER - user)
		room = SERVER_QUEUE_OF_USER - user;
	return room > sizeof(struct segment) ? room - sizeof(struct segment) : 0;
}

int client_queue(struct client *client, const char *line, size_t length, bool notification)
{
	struct segment *segment;

	if (client->dead || !fits(client, sizeof(*segment) + length, notification)) {
		client->server->counts.notifications_lost += notification;
		if (!client->dead)
			drop(client);
		return -ENOBUFS;
	}
	segment = malloc(sizeof(*segment) + length);
	if (!segment) {
		client->server->counts.notifications_lost += notification;
		drop(client);
		return -ENOBUFS;
	}
	*segment = (struct segment){ .size = length, .notification = notification };
	memcpy(segment->bytes, line, length);
	*client->out_end = segment;
	client->out_end = &segment->next;
	client->queued += cost(segment);
	client->queued_notes += notification ? cost(segment) : 0;
	client->user->queued += cost(segment);
	return 0;
}

static void remove_sent(struct client *client, size_t sent)
{
	while (client->out) {
		size_t left = client->out->size - client->out->sent;

		if (sent < left) {
			client->out->sent += sent;
			return;
		}
		sent -= left;
		remove_first(client);
	}
}

static ssize_t send_some(struct client *client)
{
	struct iovec iov[SEND_LINES];
	struct msghdr message = { .msg_iov = iov };
	struct segment *segment = client->out;

	for (; segment && message.msg_iovlen < SEND_LINES; segment = segment->next) {
		iov[message.msg_iovlen++] =
			(struct iovec){ .iov_base = segment->bytes + segment->sent,
					.iov_len = segment->size - segment->sent };
	}
	return sendmsg(client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void client_flush(struct client *client)
{
	while (client->out && client->writable && !client->dead) {
		ssize_t sent = send_some(client);

		if (sent >= 0) {
			remove_sent(client, (size_t)sent);
			continue;
		}
		if (errno == EINTR)
			continue;
		client->writable = false;
		/* Gone while something waited: that is not counted as slow. */
		if (errno != EAGAIN)
			client->dead = true;
	}
}
