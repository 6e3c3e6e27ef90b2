/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call at a time over a socket that never blocks: every wait has an end, and what comes in between
 * is handed on.
 */
#include "control/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "base/mem.h"

/* To connect may wait for the daemon's queue of connections. */
#define CONNECT_S 5
#define READ_SIZE (64U << 10)
/* Reads of one control_read(): the caller has other things to do. */
#define READS_MAX 64
#define FDS_MAX 8

static __s64 now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (__s64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The other end gets commands and descriptors: it must be root's, or ours. */
static int check_peer(int fd, const char *path, struct diag_list *diags)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		return -errno;
	if (cred.uid == 0 || cred.uid == geteuid())
		return 0;
	(void)diag_add(diags, DIAG_ERROR, NULL,
		       "the process that serves '%s' is not root's but of user %u: not trusted",
		       path, cred.uid);
	return -EPERM;
}

static int connect_path(int fd, const char *path)
{
	const struct timeval limit = { .tv_sec = CONNECT_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK))
		return -errno;
	return 0;
}

int control_connect(const char *path, struct control *ret_control, struct diag_list *diags)
{
	CLEAN_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : 0;

	if (!path)
		path = getenv("PICKET_SOCKET");
	if (!path || !*path)
		path = CONTROL_SOCKET;
	if (!r)
		r = connect_path(fd, path);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return r;
	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot connect to the daemon at '%s': %s",
			       path, r == -EAGAIN ? "it is too busy" : strerror(-r));
		return r;
	}
	r = check_peer(fd, path, diags);
	if (r)
		return r;
	*ret_control = (struct control)CONTROL_NONE;
	ret_control->fd = TAKE_FD(fd);
	return 0;
}

void control_close(struct control *control)
{
	mem_close_fd(&control->fd);
	free(control->buffer);
	*control = (struct control)CONTROL_NONE;
}

/* Wait for @events until @deadline (-1: for ever). Returns 0, -ETIMEDOUT or another -errno. */
static int wait_for(const struct control *control, short events, __s64 deadline)
{
	struct pollfd wait = { .fd = control->fd, .events = events };

	for (;;) {
		__s64 left = deadline < 0 ? -1 : deadline - now_ms();
		int r;

		if (deadline >= 0 && left < 0)
			left = 0;
		r = poll(&wait, 1, (int)left);
		if (r > 0)
			return 0;
		if (r == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* Read once. Returns 0, -EAGAIN, -EPIPE at the end, -EMSGSIZE for a line without end. */
static int read_some(struct control *control)
{
	ssize_t got;

	if (control->used > CONTROL_ANSWER_MAX)
		return -EMSGSIZE;
	if (control->size - control->used < READ_SIZE) {
		size_t size = control->size ? control->size * 2 : 2U * READ_SIZE;
		char *grown = realloc(control->buffer, size);

		if (!grown)
			return -ENOMEM;
		control->buffer = grown;
		control->size = size;
	}
	do
		got = recv(control->fd, control->buffer + control->used,
			   control->size - control->used, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	control->used += (size_t)got;
	return got > 0 ? 0 : -EPIPE;
}

/* The answer in @line to the call with @id, if it is one; -EAGAIN when it is not. */
static int take_answer(json_t *line, unsigned int id, struct control_answer *ret_answer)
{
	json_t *of = json_object_get(line, "id");
	json_t *error = json_object_get(line, "error");
	json_t *result = json_object_get(line, "result");

	/* An error without id: the line could not be read, or the connection is not wanted. */
	if (!(json_is_integer(of) && json_integer_value(of) == id) && !(json_is_null(of) && error))
		return -EAGAIN;
	*ret_answer = (struct control_answer){ 0 };
	if (result) {
		ret_answer->result = json_incref(result);
		return 0;
	}
	if (!json_is_object(error))
		return -EBADMSG;
	ret_answer->code = (int)json_integer_value(json_object_get(error, "code"));
	if (!ret_answer->code)
		ret_answer->code = CONTROL_INTERNAL;
	if (json_is_string(json_object_get(error, "message")))
		ret_answer->message = strdup(json_string_value(json_object_get(error, "message")));
	ret_answer->data = json_incref(json_object_get(error, "data"));
	return 0;
}

/* Returns 0 with the answer, -EAGAIN when the line was something else, or -EBADMSG. */
static int do_line(struct control *control, const char *bytes, size_t length, unsigned int id,
		   struct control_answer *ret_answer)
{
	json_t *line = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, NULL);
	json_t *method = json_object_get(line, "method");
	int r = -EAGAIN;

	if (!json_is_object(line))
		r = -EBADMSG;
	else if (!method && ret_answer)
		r = take_answer(line, id, ret_answer);
	else if (json_is_string(method) && control->notified)
		control->notified(control->context, json_string_value(method),
				  json_object_get(line, "params"));
	json_decref(line);
	return r;
}

/* Do the whole lines that were read, up to the answer. Returns like do_line(). */
static int do_lines(struct control *control, unsigned int id, struct control_answer *ret_answer)
{
	size_t done = 0;
	int r = -EAGAIN;

	while (r == -EAGAIN && done < control->used) {
		const char *begin = control->buffer + done;
		const char *end = memchr(begin, '\n', control->used - done);

		if (!end)
			break;
		r = do_line(control, begin, (size_t)(end - begin), id, ret_answer);
		done += (size_t)(end - begin) + 1;
	}
	if (done)
		memmove(control->buffer, control->buffer + done, control->used - done);
	control->used -= done;
	return r;
}

int control_read(struct control *control)
{
	int r = 0;

	for (unsigned int i = 0; i < READS_MAX && !r; i++) {
		int lines;

		r = read_some(control);
		lines = do_lines(control, 0, NULL);
		if (lines != -EAGAIN)
			return lines;
	}
	return r == -EAGAIN ? 0 : r;
}

static int await(struct control *control, unsigned int id, __s64 deadline,
		 struct control_answer *ret_answer)
{
	int end = 0;

	for (;;) {
		int r = do_lines(control, id, ret_answer);

		/* What came before the end counts: it may say why. */
		if (r != -EAGAIN)
			return r;
		if (end)
			return end;
		r = read_some(control);
		if (r == -EAGAIN)
			r = wait_for(control, POLLIN, deadline);
		end = r;
	}
}

/* The descriptors go with the first byte. */
static ssize_t send_some(int to, const char *line, size_t length, const int *fds, size_t fd_count)
{
	_Alignas(struct cmsghdr) char parts[CMSG_SPACE(FDS_MAX * sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (char *)line, .iov_len = length };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *part;

	if (fd_count) {
		message.msg_control = parts;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		part = CMSG_FIRSTHDR(&message);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(part), fds, fd_count * sizeof(int));
	}
	return sendmsg(to, &message, MSG_NOSIGNAL);
}

static int send_line(struct control *control, const char *line, const int *fds, size_t fd_count,
		     __s64 deadline)
{
	size_t length = strlen(line);
	size_t done = 0;

	if (length > CONTROL_REQUEST_MAX)
		return -E2BIG;
	if (fd_count > FDS_MAX)
		return -EINVAL;
	while (done < length) {
		ssize_t sent = send_some(control->fd, line + done, length - done, fds,
					 done ? 0 : fd_count);
		int r = 0;

		if (sent >= 0)
			done += (size_t)sent;
		else if (errno == EAGAIN)
			r = wait_for(control, POLLOUT, deadline);
		else if (errno != EINTR)
			return -errno;
		if (r)
			return r;
	}
	return 0;
}

static char *request_line(const char *method, json_t *params, unsigned int id)
{
	CLEAN_FREE char *text = NULL;
	json_t *request = json_pack("{s:s, s:s, s:O*, s:i}", "jsonrpc", "2.0", "method", method,
				    "params", params, "id", (int)id);
	char *line = NULL;

	if (request)
		text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (text && asprintf(&line, "%s\n", text) < 0)
		return NULL;
	return line;
}

static int explain(struct diag_list *diags, const char *method, int r)
{
	const char *why = strerror(-r);

	if (r == -EPIPE)
		why = "the daemon ended the connection";
	else if (r == -ETIMEDOUT)
		why = "the daemon did not answer in time";
	else if (r == -EBADMSG || r == -EMSGSIZE)
		why = "what the daemon sent is no answer";
	else if (r == -E2BIG)
		why = "the request is larger than the daemon takes";
	(void)diag_add(diags, DIAG_ERROR, NULL, "cannot ask the daemon for '%s': %s", method, why);
	return r;
}

/* NOLINTNEXTLINE(readability-function-size): descriptors are a pointer and a number, too */
int control_call(struct control *control, const char *method, json_t *params, const int *fds,
		 size_t fd_count, int timeout_ms, struct control_answer *ret_answer,
		 struct diag_list *diags)
{
	__s64 deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	unsigned int id = ++control->next_id;
	CLEAN_FREE char *line = request_line(method, params, id);
	int r = line ? send_line(control, line, fds, fd_count, deadline) : -ENOMEM;

	/* Refused while it was sent: an error line may say why. */
	if (!r || r == -EPIPE || r == -ECONNRESET)
		r = await(control, id, deadline, ret_answer);
	return r ? explain(diags, method, r) : 0;
}
