/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's methods here are as simple as can be: what is tested is the socket.
 */
#include "serving.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/mem.h"
#include "control/client.h"

static void must(int holds)
{
	if (!holds)
		abort();
}

static int do_echo(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	answer->result = json_incref(call->request->params);
	return 0;
}

static int do_later(void *context, struct call *call, struct control_answer *answer)
{
	struct serving *serving = context;

	(void)answer;
	json_decref(serving->kept_id);
	serving->kept = call->client;
	serving->kept_id = json_incref(call->request->id);
	return -EINPROGRESS;
}

/* Two notifications come before the answer. */
static int do_subscribe(void *context, struct call *call, struct control_answer *answer)
{
	static const char note[] =
		"{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"n\":1}}\n";
	struct serving *serving = context;

	serving->kept = call->client;
	for (int i = 0; i < 2; i++)
		must(server_notify(call->client, note, sizeof(note) - 1) == 0);
	answer->result = json_object();
	return 0;
}

static int do_keep(void *context, struct call *call, struct control_answer *answer)
{
	struct serving *serving = context;

	mem_close_fd(&serving->kept_fd);
	serving->kept_fd = TAKE_FD(call->fds[0]);
	answer->result = json_pack("{s:b, s:b}", "first", serving->kept_fd >= 0, "second",
				   call->fds[1] >= 0);
	return 0;
}

static int do_fail(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	(void)call;
	answer->code = CONTROL_MISSING;
	answer->message = strdup("no agent '\xff\n'");
	answer->data = json_pack("{s:i}", "seen", 1);
	return 0;
}

static int do_large(void *context, struct call *call, struct control_answer *answer)
{
	json_int_t size = json_integer_value(json_object_get(call->request->params, "size"));
	CLEAN_FREE char *text = malloc((size_t)size);

	(void)context;
	must(text != NULL);
	memset(text, 'x', (size_t)size);
	answer->result = json_stringn(text, (size_t)size);
	return 0;
}

static int do_nothing(void *context, struct call *call, struct control_answer *answer)
{
	(void)context;
	(void)call;
	(void)answer;
	return -ENOMEM;
}

static const struct method methods[] = {
	{ "echo", PEER_NOBODY, do_echo },	    { "later", PEER_NOBODY, do_later },
	{ "subscribe", PEER_NOBODY, do_subscribe }, { "keep", PEER_NOBODY, do_keep },
	{ "fail", PEER_NOBODY, do_fail },	    { "large", PEER_NOBODY, do_large },
	{ "nothing", PEER_NOBODY, do_nothing },	    { "look", PEER_OBSERVER, do_echo },
	{ "change", PEER_OPERATOR, do_echo },
};

static enum peer_role tell_role(void *context, const struct peer *peer)
{
	struct serving *serving = context;

	serving->role_asked++;
	return serving->role == PEER__ROLES ? peer->role : serving->role;
}

static void count_gone(void *context, struct client *client)
{
	struct serving *serving = context;

	serving->gone++;
	if (serving->kept == client)
		serving->kept = NULL;
}

static void prepare(struct serving *serving)
{
	strcpy(serving->folder, "/tmp/picket-control-XXXXXX");
	must(mkdtemp(serving->folder) != NULL);
	/* Another user connects, too. */
	must(chmod(serving->folder, 0755) == 0);
	(void)snprintf(serving->path, sizeof(serving->path), "%s/socket", serving->folder);
	serving->options = (struct server_options){
		.path = serving->path,
		.fd = -1,
		.methods = methods,
		.method_count = sizeof(methods) / sizeof(*methods),
		.role = tell_role,
		.gone = count_gone,
		.context = serving,
	};
	serving->role = PEER__ROLES;
	serving->kept_fd = -1;
}

void serving_start(struct serving *serving)
{
	struct diag_list diags = { 0 };

	*serving = (struct serving){ 0 };
	prepare(serving);
	must(server_open(&serving->options, &serving->server, &diags) == 0);
}

_Noreturn static void serve(struct server *server)
{
	struct pollfd wait = { .fd = server_fd(server), .events = POLLIN };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		(void)poll(&wait, 1, server_timeout(server));
		must(server_work(server) == 0);
	}
}

_Noreturn static void serve_methods(const struct server_options *options)
{
	struct diag_list diags = { 0 };
	struct server *server = NULL;

	if (server_open(options, &server, &diags)) {
		diag_print(&diags, stderr);
		_exit(1);
	}
	serve(server);
}

static bool is_served(const char *path)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct control control = CONTROL_NONE;
	bool served = control_connect(path, &control, &diags) == 0;

	control_close(&control);
	return served;
}

pid_t serving_begin(const char *path, const struct method *rows, size_t count)
{
	const struct server_options options = {
		.path = path,
		.fd = -1,
		.methods = rows,
		.method_count = count,
	};
	pid_t child = fork();

	must(child >= 0);
	if (child == 0)
		serve_methods(&options);
	for (int i = 0; i < 1000 && !is_served(path); i++)
		(void)usleep(10000);
	must(is_served(path));
	return child;
}

void serving_end(pid_t child)
{
	must(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

void serving_start_child(struct serving *serving)
{
	serving_start(serving);
	serving->child = fork();
	must(serving->child >= 0);
	if (serving->child == 0)
		serve(serving->server);
}

void serving_stop(struct serving *serving)
{
	if (serving->child) {
		(void)kill(serving->child, SIGKILL);
		(void)waitpid(serving->child, NULL, 0);
	}
	server_free(&serving->server);
	mem_close_fd(&serving->kept_fd);
	json_decref(serving->kept_id);
	must(rmdir(serving->folder) == 0);
}

int serving_set_up(void **state)
{
	struct serving *serving = malloc(sizeof(*serving));

	must(serving != NULL);
	serving_start(serving);
	*state = serving;
	return 0;
}

int serving_tear_down(void **state)
{
	serving_stop(*state);
	free(*state);
	return 0;
}

struct server_counts serving_counts(const struct serving *serving)
{
	struct server_counts result;

	server_get_counts(serving->server, &result);
	return result;
}

void serving_work(struct serving *serving)
{
	struct pollfd wait = { .fd = server_fd(serving->server), .events = POLLIN };

	for (int i = 0; i < 100000; i++) {
		must(server_work(serving->server) == 0);
		if (poll(&wait, 1, 0) == 0 && server_timeout(serving->server) != 0)
			return;
	}
	abort();
}

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void serving_work_ms(struct serving *serving, unsigned int ms)
{
	struct pollfd wait = { .fd = server_fd(serving->server), .events = POLLIN };
	long end = now_ms() + (long)ms;
	long left;

	while ((left = end - now_ms()) > 0) {
		int timeout = server_timeout(serving->server);

		(void)poll(&wait, 1, timeout >= 0 && timeout < left ? timeout : (int)left);
		must(server_work(serving->server) == 0);
	}
}

int serving_connect(const struct serving *serving)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	must(fd >= 0);
	strcpy(address.sun_path, serving->path);
	must(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

ssize_t serving_send(int fd, const char *text, size_t length, const int *fds, size_t fd_count)
{
	_Alignas(struct cmsghdr) char parts[CMSG_SPACE(253 * sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (char *)text, .iov_len = length };
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
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

int serving_take(int fd)
{
	_Alignas(struct cmsghdr) char parts[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = parts,
				  .msg_controllen = sizeof(parts) };
	int found = -1;

	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&found, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(found));
	return found;
}

void serving_say(struct serving *serving, int fd, const char *line)
{
	CLEAN_FREE char *text = NULL;
	int length = asprintf(&text, "%s\n", line);

	must(length > 0 && serving_send(fd, text, (size_t)length, NULL, 0) == length);
	serving_work(serving);
}

const char *serving_hear(int fd)
{
	static char heard[8U << 20];
	size_t used = 0;
	ssize_t got;

	while ((got = recv(fd, heard + used, sizeof(heard) - used - 4, MSG_DONTWAIT)) > 0)
		used += (size_t)got;
	strcpy(heard + used, got == 0 || errno == ECONNRESET ? "EOF" : "");
	return heard;
}

const char *serving_await(struct serving *serving, int fd, const char *text)
{
	static char heard[8U << 20];
	size_t used = 0;
	long end = now_ms() + 10000;

	heard[0] = '\0';
	while (!strstr(heard, text) && now_ms() < end) {
		const char *more = serving_hear(fd);
		size_t length = strlen(more);

		must(used + length < sizeof(heard));
		memcpy(heard + used, more, length + 1);
		used += length;
		serving_work_ms(serving, 5);
	}
	return heard;
}

size_t serving_count(const char *in, const char *text)
{
	size_t count = 0;

	for (; (in = strstr(in, text)); in += strlen(text))
		count++;
	return count;
}

int serving_as_nobody(const gid_t *groups, size_t count, int (*body)(struct serving *),
		      struct serving *serving)
{
	pid_t child = fork();
	int status = 0;

	must(child >= 0);
	if (child == 0) {
		must(setgroups(count, groups) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
		_exit(body(serving));
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		serving_work_ms(serving, 2);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

size_t serving_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	must(folder != NULL);
	while (readdir(folder))
		count++;
	(void)closedir(folder);
	return count;
}
