/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket under people who want it to stop: floods, crowds, readers that do not read, and
 * descriptors that hang. Each time somebody else is answered meanwhile.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/server_private.h"
#include "serving.h"

#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}"
#define RESULT "{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":1}\n"

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A newcomer that waits so long is not served; a busy machine takes a part of it for floods under ASan. */
#define AT_ONCE_MS 15000

/* A newcomer is served at once, as often as we ask. */
static void expect_answered(struct serving *serving)
{
	long begin = now_ms();

	for (int i = 0; i < 5; i++) {
		CLEAN_FD int fd = serving_connect(serving);

		assert_true(serving_send(fd, CALL("echo") "\n", strlen(CALL("echo") "\n"), NULL,
					 0) > 0);
		assert_non_null(strstr(serving_await(serving, fd, RESULT), RESULT));
	}
	assert_in_range(now_ms() - begin, 0, AT_ONCE_MS);
}

static void expect_gone(struct serving *serving, unsigned int count)
{
	for (int i = 0; i < 500 && serving->gone < count; i++)
		serving_work_ms(serving, 10);
	assert_int_equal(serving->gone, count);
}

static void send_all(int fd, const char *text)
{
	(void)serving_send(fd, text, strlen(text), NULL, 0);
}

static void test_rate(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	char lines[2 * SERVER_RATE * sizeof(CALL("echo") "\n")] = "";
	const char *heard;
	size_t done;

	for (int i = 0; i < 2 * SERVER_RATE; i++)
		strcat(lines, CALL("echo") "\n");
	send_all(fd, lines);
	serving_work(serving);
	heard = serving_hear(fd);
	done = serving_count(heard, RESULT);
	assert_in_range(done, SERVER_RATE, 2 * SERVER_RATE - 1);
	assert_true(serving_count(heard, "slow down\"},\"id\":1}") > 0);
	/* What was sent too fast waits a while, and most of it is done then. */
	expect_answered(serving);
	serving_work_ms(serving, 600);
	heard = serving_hear(fd);
	done += serving_count(heard, RESULT);
	assert_in_range(done, SERVER_RATE + 50, SERVER_RATE * 2 - 1);
	assert_int_equal(serving_counts(serving).requests,
			 done + 5 + serving_counts(serving).refused_requests);
}

/* Long lines are worth several short ones. */
static void test_rate_of_bytes(void **state)
{
	static char line[CONTROL_REQUEST_MAX];
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	size_t most = 4 * SERVER_RATE / (sizeof(line) / CLIENT_LINE_PIECE);

	memset(line, ' ', sizeof(line));
	memcpy(line, CALL("echo"), strlen(CALL("echo")));
	line[sizeof(line) - 1] = '\n';
	for (size_t i = 0; i < most; i++) {
		for (size_t done = 0; done < sizeof(line);) {
			ssize_t sent = serving_send(fd, line + done, sizeof(line) - done, NULL, 0);

			done += sent > 0 ? (size_t)sent : 0;
			serving_work(serving);
		}
	}
	assert_in_range(serving_count(serving_await(serving, fd, "slow down"), RESULT), most / 4,
			most - 1);
}

/* Everything at once, again and again: lines of nothing, garbage, and lines without end. */
static void test_floods(void **state)
{
	struct serving *serving = *state;
	char *garbage = malloc(200000);
	int fds[30];

	memset(garbage, '\n', 199999);
	garbage[199999] = '\0';
	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < 30; i++) {
			fds[i] = serving_connect(serving);
			garbage[0] = i % 3 == 0 ? '{' : '\n';
			garbage[1] = i % 3 == 1 ? '\0' : '\n';
			if (i % 3 == 2)
				memset(garbage + 2, '[', 100000);
			send_all(fds[i], garbage);
			memset(garbage, '\n', 199999);
		}
		expect_answered(serving);
		for (size_t i = 0; i < 30; i++)
			close(fds[i]);
	}
	free(garbage);
	expect_gone(serving, 5 * 30 + 25);
}

static void test_crowd(void **state)
{
	struct serving *serving = *state;
	size_t before = serving_fds();
	int fds[SERVER_CLIENTS_MAX + 1];
	const char *heard;

	for (size_t i = 0; i <= SERVER_CLIENTS_MAX; i++) {
		fds[i] = serving_connect(serving);
		if (i % 50 == 0)
			serving_work(serving);
	}
	serving_work(serving);
	heard = serving_hear(fds[SERVER_CLIENTS_MAX]);
	assert_non_null(strstr(
		heard, "\"code\":4,\"message\":\"too many connections\"},\"id\":null}\nEOF"));
	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
		send_all(fds[i], CALL("echo") "\n");
	serving_work(serving);
	for (size_t i = 0; i < SERVER_CLIENTS_MAX; i++)
		assert_string_equal(serving_hear(fds[i]), RESULT);
	for (size_t i = 0; i <= SERVER_CLIENTS_MAX; i++)
		close(fds[i]);
	expect_gone(serving, SERVER_CLIENTS_MAX);
	assert_int_equal(serving_fds(), before);
	expect_answered(serving);
}

/* As user nobody: 0 = as many connections as a user may have are served, and no more. */
static int crowd_of_user(struct serving *serving)
{
	char heard[300] = "";
	int fd = -1;

	for (int i = 0; i <= SERVER_CLIENTS_OF_USER; i++) {
		fd = serving_connect(serving);
		(void)fcntl(fd, F_SETFL, 0);
		send_all(fd, CALL("echo") "\n");
		memset(heard, 0, sizeof(heard));
		if (read(fd, heard, sizeof(heard) - 1) < 0)
			return 1;
		if (i < SERVER_CLIENTS_OF_USER && strcmp(heard, RESULT) != 0)
			return 2;
	}
	return strstr(heard, "too many connections of this user") ? 0 : 3;
}

static void test_crowd_of_user(void **state)
{
	struct serving *serving = *state;
	gid_t none = 0;

	if (geteuid() != 0)
		skip();
	assert_int_equal(serving_as_nobody(&none, 0, crowd_of_user, serving), 0);
	expect_gone(serving, SERVER_CLIENTS_OF_USER);
	assert_int_equal(serving_counts(serving).refused_clients, 1);
	expect_answered(serving);
}

static void test_slow_reader(void **state)
{
	static char note[1000];
	struct serving *serving = *state;
	CLEAN_FD int slow = serving_connect(serving);
	size_t sent = 0;

	serving_say(serving, slow, CALL("subscribe"));
	memset(note, 'x', sizeof(note));
	note[sizeof(note) - 1] = '\n';
	while (server_notify(serving->kept, note, sizeof(note)) == 0) {
		sent++;
		if (sent % 100 == 0)
			serving_work(serving);
		assert_true(sent < 10000);
	}
	assert_true(sent * sizeof(note) > SERVER_QUEUE_MAX - 100000);
	/* Dropped, but not freed while somebody may still hold the pointer. */
	assert_int_equal(serving->gone, 0);
	assert_int_equal(server_notify(serving->kept, note, sizeof(note)), -ENOBUFS);
	expect_answered(serving);
	assert_int_equal(serving_counts(serving).dropped, 1);
	assert_in_range(serving_counts(serving).notifications_lost, 900, sent + 2);
	assert_null(serving->kept);
	/* What had been sent is there, and then it ends. */
	assert_non_null(strstr(serving_hear(slow), "EOF"));
	assert_null(serving->server->users->next);
	assert_int_equal(serving->server->users->queued, 0);
}

/* With no descriptor left, newcomers are refused instead of being waited for. */
static void test_no_descriptors(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int old = serving_connect(serving);
	struct rlimit before;
	struct rlimit none;
	int fds[3];

	serving_work(serving);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	for (size_t i = 0; i < 3; i++)
		fds[i] = serving_connect(serving);
	/* The lowest free number is over the limit, but for the one that is given up. */
	none.rlim_cur = (rlim_t)fds[2] + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	serving_work(serving);
	serving_say(serving, old, CALL("echo"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_string_equal(serving_hear(old), RESULT);
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(strstr(serving_hear(fds[i]), "too many connections"));
		close(fds[i]);
	}
	assert_int_equal(serving_counts(serving).refused_clients, 3);
	expect_answered(serving);
}

/*
 * A TCP socket whose last close() waits: data that the other end will not read, and SO_LINGER. Returns
 * it; the other end is *@ret_other.
 */
static int lingering_socket(int *ret_other)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 20 };
	struct sockaddr_in address = { .sin_family = AF_INET };
	CLEAN_FD int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(address);
	char bytes[4096] = { 0 };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listening, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
	*ret_other = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	assert_true(*ret_other >= 0);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	return fd;
}

/* It does what it is for: a close() here would hang. */
static void test_lingering_control(void **state)
{
	const struct linger brief = { .l_onoff = 1, .l_linger = 1 };
	CLEAN_FD int other = -1;
	int fd = lingering_socket(&other);
	long begin = now_ms();

	(void)state;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &brief, sizeof(brief)), 0);
	close(fd);
	assert_in_range(now_ms() - begin, 900, 5000);
}

/* Sent with @line over @fd; ours is closed, so that theirs is the last. */
static void send_lingering(int fd, const char *line, int *ret_other)
{
	int lingering = lingering_socket(ret_other);
	const int fds[4] = { lingering, lingering, lingering, lingering };

	assert_true(serving_send(fd, line, strlen(line), fds, 4) > 0);
	close(lingering);
}

static void test_lingering_sent(void **state)
{
	static const char *const lines[] = { CALL("echo") "\n", "garbage\n", "half a line" };
	struct serving *serving = *state;
	int others[4];
	int fds[4];

	for (size_t i = 0; i < 3; i++) {
		fds[i] = serving_connect(serving);
		send_lingering(fds[i], lines[i], &others[i]);
		expect_answered(serving);
		close(fds[i]);
		expect_answered(serving);
	}
	/* Never looked at: it lies in the queue of a connection that is refused. */
	fds[3] = serving_connect(serving);
	send_lingering(fds[3], lines[0], &others[3]);
	serving->role = PEER_CONFINED;
	serving_work(serving);
	serving->role = PEER__ROLES;
	expect_answered(serving);
	close(fds[3]);
	for (size_t i = 0; i < 4; i++)
		close(others[i]);
}

/* Within a socket within a socket: nobody gets at its SO_LINGER, one thread hangs, the rest goes on. */
static void test_lingering_nested(void **state)
{
	struct serving *serving = *state;
	int fd = serving_connect(serving);
	CLEAN_FD int other = -1;
	int outer[2];
	int inner[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, outer), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, inner), 0);
	send_lingering(inner[0], "x", &other);
	assert_int_equal(serving_send(outer[0], "x", 1, &inner[1], 1), 1);
	assert_true(serving_send(fd, CALL("echo") "\n", strlen(CALL("echo") "\n"), &outer[1], 1) >
		    0);
	close(inner[0]);
	close(inner[1]);
	close(outer[0]);
	close(outer[1]);
	expect_answered(serving);
	close(fd);
	expect_answered(serving);
	serving_work_ms(serving, 100);
	/* Read at last, or we would wait, too. */
	mem_close_fd(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, serving_set_up, serving_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rate),	   TEST(test_rate_of_bytes),
		TEST(test_floods),	   TEST(test_crowd),
		TEST(test_crowd_of_user),  TEST(test_slow_reader),
		TEST(test_no_descriptors), TEST(test_lingering_control),
		TEST(test_lingering_sent), TEST(test_lingering_nested),
	};
	struct rlimit limit;

	/* Both ends of each connection are ours, and a handle of its process. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 8192) {
		limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
