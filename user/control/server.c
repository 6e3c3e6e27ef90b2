/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who comes in and who has to go; a round of work for everybody else.
 */
#include "control/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "control/server_private.h"

/* Clients let in, and events looked at, in one round. */
#define ROUND_ACCEPTS 64
#define ROUND_EVENTS 128
/* The groups that give roles are looked up again after so long. */
#define GROUPS_MS 10000
/* While nothing is taken in, whether it can be again is looked at so often. */
#define JAMMED_MS 100

/* Tell a connection that is not taken why, and end it. */
static void refuse_client(struct server *server, int fd, int code, const char *message)
{
	char *line = control_error_line(NULL, code, message, NULL);

	server->counts.refused_clients++;
	if (line)
		(void)send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	free(line);
	closer_take_connection(server->closer, fd);
}

static int watch(struct server *server, int fd, struct source *source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Make a client of it; takes @peer and, when it returns 0, @fd. */
static int add_client(struct server *server, int fd, struct peer *peer, struct user *user)
{
	struct client *client = calloc(1, sizeof(*client));
	__u64 now_ms = server_now_ms();

	if (!client)
		return -ENOMEM;
	client->server = server;
	client->fd = fd;
	client->user = user;
	client->events = EPOLLIN;
	client->writable = true;
	client->out_end = &client->out;
	client->socket = (struct source){ SOURCE_CLIENT, client };
	client->process = (struct source){ SOURCE_PROCESS, client };
	bucket_init(&client->bucket, SERVER_RATE, now_ms);
	if (watch(server, fd, &client->socket) || watch(server, peer->pidfd, &client->process)) {
		(void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		free(client);
		return -ENOMEM;
	}
	client->peer = *peer;
	*peer = (struct peer)PEER_NONE;
	client->next = server->clients;
	server->clients = client;
	server->client_count++;
	user->clients++;
	server->counts.accepted++;
	return 0;
}

/* Why this peer is not let in, with *@ret_code; or NULL. */
static const char *judge_peer(struct server *server, struct peer *peer, int *ret_code)
{
	const struct server_options *options = &server->options;
	size_t most = SERVER_CLIENTS_MAX;

	*ret_code = CONTROL_DENIED;
	if (options->role)
		peer->role = options->role(options->context, peer);
	/* Afterwards: what was found out belongs to this process only while that lives. */
	if (!peer_is_alive(peer))
		return "the process that connected has ended";
	if (peer->role == PEER_CONFINED)
		return "a confined process has no say here";
	*ret_code = CONTROL_BUSY;
	if (peer->role != PEER_OPERATOR)
		most -= SERVER_CLIENTS_KEPT;
	return server->client_count >= most ? "too many connections" : NULL;
}

/* Takes @fd. */
static void admit(struct server *server, int fd)
{
	CLEAN(peer_reset) struct peer peer = PEER_NONE;
	__u64 now_ms = server_now_ms();
	struct user *user;
	const char *why;
	int code;

	if (!server->groups_ms || now_ms - server->groups_ms >= GROUPS_MS) {
		peer_groups_read(&server->groups);
		server->groups_ms = now_ms;
	}
	if (peer_identify(fd, &server->groups, &peer)) {
		refuse_client(server, fd, CONTROL_DENIED, "cannot tell who you are");
		return;
	}
	why = judge_peer(server, &peer, &code);
	if (why) {
		refuse_client(server, fd, code, why);
		return;
	}
	user = server_user(server, peer.uid, now_ms);
	if (!user || (peer_is_limited(&peer) && user->clients >= SERVER_CLIENTS_OF_USER) ||
	    add_client(server, fd, &peer, user))
		refuse_client(server, fd, CONTROL_BUSY, "too many connections of this user");
}

/* No descriptor left: refuse one with the spare one, or epoll would tell of it for ever. */
static void refuse_without_fd(struct server *server)
{
	int fd;

	mem_close_fd(&server->spare_fd);
	fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		refuse_client(server, fd, CONTROL_BUSY, "too many connections");
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool takes_in(const struct server *server)
{
	return server->spare_fd >= 0 && !closer_is_full(server->closer);
}

static void accept_some(struct server *server)
{
	for (unsigned int i = 0; i < ROUND_ACCEPTS && takes_in(server); i++) {
		int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			refuse_without_fd(server);
		else if (fd >= 0)
			admit(server, fd);
	}
}

static void handle(struct server *server, const struct epoll_event *event, __u64 now_ms)
{
	const struct source *source = event->data.ptr;
	struct client *client = source->client;

	if (source->kind == SOURCE_LISTEN) {
		accept_some(server);
		return;
	}
	/* Its process has ended: whoever still holds the connection is somebody else. */
	if (source->kind == SOURCE_PROCESS)
		client->dead = true;
	if (client->dead)
		return;
	if (event->events & EPOLLOUT)
		client->writable = true;
	if ((event->events & client->events & EPOLLIN) && takes_in(server)) {
		/* Else in a later round: epoll tells again. */
		if (client->user->spent_us < USER_TURN_US)
			client_read(client, now_ms);
	} else if (event->events & (EPOLLHUP | EPOLLERR))
		client->dead = true;
}

/* What is due without an event: pauses that end, half lines that do not, lines that were left. */
static void resume_all(struct server *server, __u64 now_ms)
{
	for (struct client *client = server->clients; client; client = client->next) {
		if (!client->dead)
			client_resume(client, now_ms);
	}
}

/* And who was first in this round is last in the next. */
static void remove_dead(struct server *server)
{
	struct client **at = &server->clients;
	struct client *first;

	while (*at) {
		struct client *client = *at;

		if (!client->dead) {
			at = &client->next;
			continue;
		}
		*at = client->next;
		server->client_count--;
		if (server->options.gone)
			server->options.gone(server->options.context, client);
		client_free(client);
	}
	first = server->clients;
	if (!first || !first->next)
		return;
	*at = first;
	server->clients = first->next;
	first->next = NULL;
}

/* While too much waits to be closed, or no descriptor is left, nothing is taken in. */
static int look_at_intake(struct server *server)
{
	struct epoll_event event = { .data.ptr = &server->listen };
	bool full;

	if (server->spare_fd < 0)
		server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	full = !takes_in(server);
	if (full == server->jammed)
		return 0;
	server->jammed = full;
	event.events = full ? 0U : EPOLLIN;
	return epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, server->listen_fd, &event) ? -errno : 0;
}

int server_work(struct server *server)
{
	struct epoll_event events[ROUND_EVENTS];
	__u64 now_ms = server_now_ms();
	int r = look_at_intake(server);
	int count;

	if (r)
		return r;
	for (struct user *user = server->users; user; user = user->next)
		user->spent_us = 0;
	count = epoll_wait(server->epoll_fd, events, ROUND_EVENTS, 0);
	if (count < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < count; i++)
		handle(server, &events[i], now_ms);
	resume_all(server, now_ms);
	remove_dead(server);
	server_forget_users(server, now_ms);
	return 0;
}

int server_timeout(const struct server *server)
{
	__u64 now_ms = server_now_ms();
	int least = server->jammed || !takes_in(server) ? JAMMED_MS : -1;

	for (const struct client *client = server->clients; client; client = client->next) {
		int ms = client_timeout(client, now_ms);

		if (ms >= 0 && (least < 0 || ms < least))
			least = ms;
	}
	return least;
}

int server_fd(const struct server *server)
{
	return server->epoll_fd;
}

void server_get_counts(const struct server *server, struct server_counts *ret_counts)
{
	*ret_counts = server->counts;
}

int server_open(const struct server_options *options, struct server **ret_server,
		struct diag_list *diags)
{
	CLEAN(server_free) struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->options = *options;
	server->listen_fd = -1;
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (server->epoll_fd < 0 || server->spare_fd < 0)
		return -errno;
	r = closer_new(&server->closer);
	if (!r)
		r = server_listen(server, diags);
	if (!r)
		r = watch(server, server->listen_fd, &server->listen);
	if (!r)
		*ret_server = TAKE_PTR(server);
	return r;
}

void server_free(struct server **server)
{
	struct server *s = TAKE_PTR(*server);

	if (!s)
		return;
	while (s->clients) {
		struct client *client = s->clients;

		s->clients = client->next;
		client_flush(client);
		client_free(client);
	}
	server_unlisten(s);
	while (s->users) {
		struct user *user = s->users;

		s->users = user->next;
		free(user);
	}
	closer_free(&s->closer);
	mem_close_fd(&s->spare_fd);
	mem_close_fd(&s->epoll_fd);
	free(s);
}
