/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client: its lines become requests, its requests calls. What is done for it at a time is bounded.
 */
#include "control/server_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/mem.h"

void client_refuse(struct client *client, const json_t *id, int code, const char *message)
{
	char *line = control_error_line(id, code, message, NULL);

	client->server->counts.refused_requests++;
	if (line)
		(void)client_queue(client, line, strlen(line), false);
	else
		client->dead = true;
	free(line);
}

void client_end(struct client *client, int code, const char *message)
{
	client_refuse(client, NULL, code, message);
	client_flush(client);
	client->dead = true;
}

void client_arm(struct client *client)
{
	struct epoll_event event = { .data.ptr = &client->socket };
	bool reads = !client->server->jammed && !client->eof && !client->backlog &&
		     !client->paused_until_ms && client->queued <= CLIENT_QUEUE_HIGH;

	event.events = (reads ? EPOLLIN : 0U) | (client->out ? EPOLLOUT : 0U);
	if (client->dead || event.events == client->events)
		return;
	client->events = event.events;
	if (epoll_ctl(client->server->epoll_fd, EPOLL_CTL_MOD, client->fd, &event))
		client->dead = true;
}

/* The descriptors that came with the line ending before byte @end. False: too many did. */
static bool take_fds(struct client *client, size_t end, struct call *call)
{
	bool fit = !client->surplus || client->surplus_first >= end;
	size_t taken = 0;
	size_t kept = 0;

	client->surplus &= client->surplus_last >= end;
	for (size_t i = 0; i < client->fd_count; i++) {
		if (client->fds[i].at >= end)
			client->fds[kept++] = client->fds[i];
		else if (taken < SERVER_FDS_MAX)
			call->fds[taken++] = client->fds[i].fd;
		else {
			fit = false;
			closer_take(client->server->closer, client->fds[i].fd);
		}
	}
	client->fd_count = kept;
	return fit;
}

static void answer_line(struct client *client, const json_t *id,
			const struct control_answer *answer)
{
	char *line = answer->result ?
			     control_result_line(id, answer->result) :
			     control_error_line(id, answer->code ? answer->code : CONTROL_INTERNAL,
						answer->message, answer->data);

	if (line && strlen(line) > CONTROL_ANSWER_MAX) {
		free(line);
		line = control_error_line(id, CONTROL_INTERNAL, "the answer is too large", NULL);
	}
	if (line)
		(void)client_queue(client, line, strlen(line), false);
	else
		client->dead = true;
	free(line);
}

void server_answer(struct client *client, const json_t *id, const struct control_answer *answer)
{
	if (client->waiting)
		client->waiting--;
	/* A request without id wants no answer. */
	if (id)
		answer_line(client, id, answer);
	client_arm(client);
}

static const struct method *find_method(const struct server *server, const char *name)
{
	for (size_t i = 0; i < server->options.method_count; i++) {
		if (strcmp(server->options.methods[i].name, name) == 0)
			return &server->options.methods[i];
	}
	return NULL;
}

static void run_method(struct client *client, const struct method *method, struct call *call)
{
	CLEAN(control_answer_reset) struct control_answer answer = { 0 };
	int r;

	client->waiting++;
	r = method->run(client->server->options.context, call, &answer);
	if (r == -EINPROGRESS)
		return;
	if (r && !answer.result && !answer.code)
		answer.code = CONTROL_INTERNAL;
	server_answer(client, call->request->id, &answer);
}

/* Why the request is not run, with *@ret_code; or NULL and the method. */
static const char *judge(struct client *client, const char *name, int *ret_code,
			 const struct method **ret_method)
{
	const struct method *method = find_method(client->server, name);

	*ret_code = CONTROL_METHOD;
	if (!method)
		return "there is no such method";
	*ret_code = CONTROL_DENIED;
	if (client->peer.role == PEER_NESTED && method->role > PEER_NESTED)
		return "a process of an agent may only start agents of its own";
	if (client->peer.role < method->role)
		return method->role == PEER_OPERATOR ?
			       "only root and the group '" PEER_GROUP_OPERATOR
			       "' may do this; who was put into it just now logs in anew" :
			       "only root and the groups '" PEER_GROUP_OBSERVER
			       "' and '" PEER_GROUP_OPERATOR
			       "' may do this; who was put into one just now logs in anew";
	*ret_code = CONTROL_BUSY;
	if (client->waiting >= CLIENT_WAITING_MAX)
		return "too many calls of this connection wait for an answer";
	*ret_method = method;
	return NULL;
}

/* Take a line out of each of its buckets; when one has too little, it is left alone for a while. */
static bool spend(struct client *client, size_t length, __u64 now_ms)
{
	__u64 requests = 1 + length / CLIENT_LINE_PIECE;
	bool user_has = !peer_is_limited(&client->peer) ||
			bucket_take(&client->user->bucket, requests, SERVER_RATE_OF_USER, now_ms);

	if (user_has && bucket_take(&client->bucket, requests, SERVER_RATE, now_ms))
		return true;
	client->paused_until_ms = now_ms + CLIENT_PAUSE_MS;
	return false;
}

/* Its process may have been made part of an agent since it connected. */
static bool still_welcome(struct client *client)
{
	const struct server_options *options = &client->server->options;

	if (options->role)
		client->peer.role = options->role(options->context, &client->peer);
	return client->peer.role != PEER_CONFINED && peer_is_alive(&client->peer);
}

static void do_request(struct client *client, struct call *call, bool too_fast, bool fds_fit)
{
	const struct method *method = NULL;
	const char *why;
	int code = CONTROL_BUSY;

	if (too_fast)
		why = "too many requests: slow down";
	else if (!fds_fit) {
		code = CONTROL_INVALID;
		why = "too many descriptors came with this request";
	} else
		why = judge(client, call->request->method, &code, &method);
	if (!why)
		run_method(client, method, call);
	else if (call->request->id)
		client_refuse(client, call->request->id, code, why);
	else
		client->server->counts.refused_requests++;
}

/* @line is of @length bytes without its newline; its byte 0 is byte @start of what was read. */
static void do_line(struct client *client, size_t start, size_t length, __u64 now_ms)
{
	CLEAN(control_request_reset) struct control_request request = { 0 };
	struct call call = { .client = client, .request = &request, .fds = { -1, -1 } };
	bool fds_fit = take_fds(client, start + length + 1, &call);
	bool too_fast = !spend(client, length, now_ms);
	const char *why;
	int code;

	client->server->counts.requests++;
	if (control_request_parse(client->in + start, length, &request, &code, &why) < 0)
		client_refuse(client, request.id, code, why);
	else
		do_request(client, &call, too_fast, fds_fit);
	for (size_t i = 0; i < SERVER_FDS_MAX; i++)
		closer_take(client->server->closer, call.fds[i]);
}

/* The first @count bytes of what was read are done. */
static void forget(struct client *client, size_t count)
{
	if (count)
		memmove(client->in, client->in + count, client->in_used - count);
	client->in_used -= count;
	for (size_t i = 0; i < client->fd_count; i++)
		client->fds[i].at -= count;
	client->surplus_first -= client->surplus_first < count ? client->surplus_first : count;
	client->surplus_last -= client->surplus_last < count ? client->surplus_last : count;
	if (client->in_used)
		return;
	free(TAKE_PTR(client->in));
	client->in_size = 0;
}

/* What is left is a half line, or nothing. */
static void settle(struct client *client, bool began, __u64 now_ms)
{
	if (client->in_used == 0)
		client->line_since_ms = 0;
	else if (began || !client->line_since_ms)
		client->line_since_ms = now_ms;
	if (client->in_used == CONTROL_REQUEST_MAX)
		client_end(client, CONTROL_INVALID, "a request has at most 65536 bytes");
	else if (client->eof && client->in_used)
		client_end(client, CONTROL_PARSE, "the last line has no end");
}

void client_take_lines(struct client *client, __u64 now_ms)
{
	__u64 begin_us = server_now_us();
	__u64 before_us = client->user->spent_us;
	size_t done = 0;
	unsigned int lines = 0;

	client->backlog = false;
	while (!client->dead && done < client->in_used) {
		const char *end = memchr(client->in + done, '\n', client->in_used - done);

		if (!end)
			break;
		client->backlog = client->paused_until_ms || client->queued > CLIENT_QUEUE_HIGH ||
				  lines == CLIENT_TURN_LINES || done >= CLIENT_TURN_BYTES ||
				  client->user->spent_us >= USER_TURN_US;
		if (client->backlog)
			break;
		if (lines == 0 && !still_welcome(client)) {
			client_end(
				client, CONTROL_DENIED,
				"the process that made this connection is confined or has ended");
			break;
		}
		do_line(client, done, (size_t)(end - client->in) - done, now_ms);
		done = (size_t)(end - client->in) + 1;
		lines++;
		client->user->spent_us = before_us + server_now_us() - begin_us;
	}
	if (client->dead)
		return;
	forget(client, done);
	if (client->backlog)
		client->line_since_ms = 0;
	else
		settle(client, lines > 0, now_ms);
}

void client_resume(struct client *client, __u64 now_ms)
{
	if (client->paused_until_ms && now_ms >= client->paused_until_ms)
		client->paused_until_ms = 0;
	if (!client->server->jammed && client->backlog && !client->paused_until_ms &&
	    client->queued <= CLIENT_QUEUE_HIGH)
		client_take_lines(client, now_ms);
	if (!client->dead && client->line_since_ms &&
	    now_ms - client->line_since_ms >= SERVER_IDLE_LINE_MS)
		client_end(client, CONTROL_INVALID, "a line begun must end within 10 seconds");
	client_flush(client);
	if (client->eof && !client->backlog && !client->waiting && !client->out)
		client->dead = true;
	client_arm(client);
}

int client_timeout(const struct client *client, __u64 now_ms)
{
	__u64 at = 0;

	if (client->dead)
		return 0;
	if (client->paused_until_ms)
		at = client->paused_until_ms;
	else if (!client->server->jammed && client->backlog && client->queued <= CLIENT_QUEUE_HIGH)
		return 0;
	else if (client->line_since_ms)
		at = client->line_since_ms + SERVER_IDLE_LINE_MS;
	else
		return -1;
	return at > now_ms ? (int)(at - now_ms) : 0;
}

const struct peer *client_peer(const struct client *client)
{
	return &client->peer;
}

void client_set_data(struct client *client, void *data)
{
	client->data = data;
}

void *client_data(const struct client *client)
{
	return client->data;
}

int server_notify(struct client *client, const char *line, size_t length)
{
	int r = client_queue(client, line, length, true);

	client_arm(client);
	return r;
}

void client_free(struct client *client)
{
	client_discard(client);
	for (size_t i = 0; i < client->fd_count; i++)
		closer_take(client->server->closer, client->fds[i].fd);
	/* By hand: a child just forked may hold them open for a moment, and then they stay watched. */
	(void)epoll_ctl(client->server->epoll_fd, EPOLL_CTL_DEL, client->fd, NULL);
	(void)epoll_ctl(client->server->epoll_fd, EPOLL_CTL_DEL, client->peer.pidfd, NULL);
	closer_take_connection(client->server->closer, client->fd);
	peer_reset(&client->peer);
	free(client->in);
	client->user->clients--;
	free(client);
}
