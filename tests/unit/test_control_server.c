/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: lines and halves of lines, requests and answers, descriptors that come with them.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/server_private.h"
#include "serving.h"

#define CALL(method, id) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":" #id "}"
#define RESULT(id) "{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":" #id "}\n"

static void expect(int fd, const char *wanted)
{
	assert_string_equal(serving_hear(fd), wanted);
}

static void test_calls(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);

	serving_say(serving, fd,
		    "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":1,\"params\":{\"a\":[1]}}");
	expect(fd, "{\"jsonrpc\":\"2.0\",\"result\":{\"a\":[1]},\"id\":1}\n");
	serving_say(serving, fd, CALL("fail", "x"));
	expect(fd,
	       "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":3,\"message\":\"no agent '\\\\xff\\\\n'\","
	       "\"data\":{\"seen\":1}},\"id\":\"x\"}\n");
	serving_say(serving, fd, CALL("nothing", 2));
	assert_non_null(strstr(serving_hear(fd), "\"code\":-32603"));
	mem_close_fd(&fd);
	serving_work(serving);
	assert_int_equal(serving->gone, 1);
	assert_int_equal(serving_counts(serving).requests, 3);
}

static void test_refused(void **state)
{
	static const struct {
		const char *line;
		const char *part;
	} cases[] = {
		{ "", "\"code\":-32700" },
		{ "{", "\"code\":-32700" },
		{ "[]", "send one request a line" },
		{ CALL("no.such", 3),
		  "\"code\":-32601,\"message\":\"there is no such method\"},\"id\":3}" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":4,\"x\":1}", "},\"id\":4}" },
	};
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	size_t count = sizeof(cases) / sizeof(*cases);

	for (size_t i = 0; i < count; i++) {
		const char *heard;

		serving_say(serving, fd, cases[i].line);
		heard = serving_hear(fd);
		if (!strstr(heard, cases[i].part) || serving_count(heard, "\n") != 1)
			fail_msg("'%s': '%s'", cases[i].line, heard);
	}
	serving_say(serving, fd, CALL("echo", 5));
	expect(fd, RESULT(5));
	assert_int_equal(serving_counts(serving).refused_requests, count);
}

/* A request without id is done, or refused, and never answered. */
static void test_without_id(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);

	serving_say(serving, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}");
	serving_say(serving, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"no.such\"}");
	serving_say(serving, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"later\"}");
	server_answer(serving->kept, NULL, &(struct control_answer){ .code = CONTROL_FAILED });
	serving_work(serving);
	expect(fd, "");
	assert_int_equal(serving_counts(serving).requests, 3);
	assert_int_equal(serving_counts(serving).refused_requests, 1);
}

static void test_pieces(void **state)
{
	static const char line[] = CALL("echo", 1) "\n";
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);

	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		expect(fd, "");
		assert_int_equal(send(fd, line + i, 1, 0), 1);
		serving_work(serving);
	}
	expect(fd, RESULT(1));
}

static void test_many_in_one(void **state)
{
	static const char first[] = CALL("echo", 1) "\n" CALL("echo", 2) "\n{\"jsonrpc\":\"2.0\",";
	static const char rest[] = "\"method\":\"echo\",\"id\":3}\n" CALL("echo", 4) "\n";
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);

	assert_int_equal(send(fd, first, sizeof(first) - 1, 0), sizeof(first) - 1);
	serving_work(serving);
	expect(fd, RESULT(1) RESULT(2));
	assert_int_equal(send(fd, rest, sizeof(rest) - 1, 0), sizeof(rest) - 1);
	serving_work(serving);
	expect(fd, RESULT(3) RESULT(4));
	for (int i = 0; i < 100; i++)
		assert_true(send(fd, CALL("echo", 9) "\n", strlen(CALL("echo", 9) "\n"), 0) > 0);
	serving_work(serving);
	assert_int_equal(serving_count(serving_hear(fd), RESULT(9)), 100);
}

/* A line padded to @size bytes, newline included, and what comes back. */
static const char *send_padded(struct serving *serving, int fd, size_t size)
{
	CLEAN_FREE char *line = malloc(size);
	size_t done = 0;

	memset(line, ' ', size);
	memcpy(line, CALL("echo", 1), strlen(CALL("echo", 1)));
	line[size - 1] = '\n';
	while (done < size) {
		ssize_t sent = send(fd, line + done, size - done, MSG_NOSIGNAL);

		if (sent < 0)
			break;
		done += (size_t)sent;
		serving_work(serving);
	}
	return serving_hear(fd);
}

static void test_longest_line(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);

	assert_string_equal(send_padded(serving, fd, CONTROL_REQUEST_MAX), RESULT(1));
	assert_string_equal(send_padded(serving, fd, CONTROL_REQUEST_MAX), RESULT(1));
	assert_non_null(strstr(send_padded(serving, fd, CONTROL_REQUEST_MAX + 1),
			       "at most 65536 bytes\"},\"id\":null}\nEOF"));
	assert_int_equal(serving->gone, 1);
}

static void test_half_line(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	CLEAN_FD int idle = serving_connect(serving);

	assert_int_equal(send(fd, "{", 1, 0), 1);
	serving_work(serving);
	assert_in_range(server_timeout(serving->server), 1, SERVER_IDLE_LINE_MS);
	/* Almost there: more bytes do not make the time longer. */
	for (struct client *c = serving->server->clients; c; c = c->next)
		c->line_since_ms -= c->line_since_ms ? SERVER_IDLE_LINE_MS - 20 : 0;
	assert_int_equal(send(fd, " ", 1, 0), 1);
	serving_work_ms(serving, 10);
	expect(fd, "");
	serving_work_ms(serving, 30);
	assert_non_null(
		strstr(serving_hear(fd), "must end within 10 seconds\"},\"id\":null}\nEOF"));
	/* Who sends nothing at all may wait. */
	serving_say(serving, idle, CALL("echo", 1));
	expect(idle, RESULT(1));
	assert_int_equal(server_timeout(serving->server), -1);
}

static void answer_kept(struct serving *serving)
{
	struct control_answer answer = { .result = json_object() };

	server_answer(serving->kept, serving->kept_id, &answer);
	control_answer_reset(&answer);
	serving_work(serving);
}

static void test_end_of_sending(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	CLEAN_FD int half = serving_connect(serving);

	serving_say(serving, fd, CALL("later", 1));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	serving_work(serving);
	expect(fd, "");
	answer_kept(serving);
	expect(fd, RESULT(1) "EOF");
	assert_int_equal(send(half, CALL("echo", 1), 10, 0), 10);
	assert_int_equal(shutdown(half, SHUT_WR), 0);
	serving_work(serving);
	assert_non_null(
		strstr(serving_hear(half), "the last line has no end\"},\"id\":null}\nEOF"));
	assert_int_equal(serving->gone, 2);
}

static void test_later(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	CLEAN_FD int gone = serving_connect(serving);

	serving_say(serving, fd, CALL("later", "a"));
	serving_say(serving, fd, CALL("echo", 1));
	expect(fd, RESULT(1));
	answer_kept(serving);
	expect(fd, RESULT("a"));
	for (int i = 0; i < CLIENT_WAITING_MAX; i++)
		serving_say(serving, fd, CALL("later", 2));
	expect(fd, "");
	serving_say(serving, fd, CALL("later", 3));
	assert_non_null(strstr(serving_hear(fd), "\"code\":4"));
	answer_kept(serving);
	expect(fd, RESULT(2));
	/* Nobody waits any more: gone() tells. */
	serving_say(serving, gone, CALL("later", 1));
	assert_non_null(serving->kept);
	mem_close_fd(&gone);
	serving_work(serving);
	assert_null(serving->kept);
}

static void test_notifications(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	const char *heard;

	serving_say(serving, fd, CALL("subscribe", 1));
	heard = serving_hear(fd);
	assert_int_equal(serving_count(heard, "\"method\":\"event\""), 2);
	assert_string_equal(strrchr(heard, 'e') ? heard + strlen(heard) - strlen(RESULT(1)) : "",
			    RESULT(1));
	/* Sent from elsewhere: the descriptor to wait on tells that there is something to do. */
	assert_int_equal(server_notify(serving->kept, "x\n", 2), 0);
	serving_work(serving);
	expect(fd, "x\n");
}

static void test_large_answers(void **state)
{
	static const char large[] =
		"{\"jsonrpc\":\"2.0\",\"method\":\"large\",\"id\":1,\"params\":{\"size\":4000000}}";
	static const char too_large[] =
		"{\"jsonrpc\":\"2.0\",\"method\":\"large\",\"id\":1,\"params\":{\"size\":4200000}}";
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	size_t lines = 0;

	serving_say(serving, fd, large);
	assert_int_equal(strlen(serving_await(serving, fd, "\n")), 4000037);
	serving_say(serving, fd, too_large);
	assert_non_null(strstr(serving_hear(fd), "the answer is too large"));
	/* Who asks and does not read is not asked what else it wants. */
	for (int i = 0; i < 5; i++)
		serving_say(serving, fd, large);
	assert_int_equal(serving_counts(serving).requests, 3);
	assert_true(serving->server->users->queued < CONTROL_ANSWER_MAX);
	while (lines < 5)
		lines += serving_count(serving_await(serving, fd, "\n"), "\n");
	serving_work(serving);
	assert_int_equal(serving->server->users->queued, 0);
}

static int a_pidfd(void)
{
	return (int)syscall(SYS_pidfd_open, getpid(), 0);
}

static void send_with(struct serving *serving, int fd, const char *line, const int *fds,
		      size_t count)
{
	assert_int_equal(serving_send(fd, line, strlen(line), fds, count), strlen(line));
	serving_work(serving);
}

/* Some are closed by another thread: soon, but not at once. */
static void expect_fds(size_t count)
{
	for (int i = 0; i < 500 && serving_fds() != count; i++)
		(void)usleep(10000);
	assert_int_equal(serving_fds(), count);
}

static void test_descriptors(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	CLEAN_FD int one = a_pidfd();
	CLEAN_FD int two = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int fds[3] = { one, two, two };
	size_t before;

	serving_say(serving, fd, CALL("keep", 1));
	expect(fd,
	       "{\"jsonrpc\":\"2.0\",\"result\":{\"first\":false,\"second\":false},\"id\":1}\n");
	before = serving_fds();
	send_with(serving, fd, CALL("keep", 2) "\n", fds, 1);
	expect(fd, "{\"jsonrpc\":\"2.0\",\"result\":{\"first\":true,\"second\":false},\"id\":2}\n");
	assert_int_equal(fcntl(serving->kept_fd, F_GETFD), FD_CLOEXEC);
	send_with(serving, fd, CALL("keep", 3) "\n", fds, 2);
	expect(fd, "{\"jsonrpc\":\"2.0\",\"result\":{\"first\":true,\"second\":true},\"id\":3}\n");
	send_with(serving, fd, CALL("keep", 4) "\n", fds, 3);
	assert_non_null(strstr(serving_hear(fd), "too many descriptors"));
	/* The same connection goes on, and without the last ones' descriptors. */
	serving_say(serving, fd, CALL("keep", 5));
	expect(fd,
	       "{\"jsonrpc\":\"2.0\",\"result\":{\"first\":false,\"second\":false},\"id\":5}\n");
	/* Not wanted: by a method that takes none, a request refused, a notification, a half line. */
	send_with(serving, fd, CALL("echo", 6) "\n", fds, 2);
	send_with(serving, fd, CALL("no.such", 6) "\n", fds, 2);
	send_with(serving, fd, "garbage\n", fds, 2);
	send_with(serving, fd, "{", fds, 2);
	mem_close_fd(&fd);
	serving_work(serving);
	assert_int_equal(serving->gone, 1);
	/* The connection had two ends here, and its process' handle. */
	expect_fds(before - 3);
}

/* 253 is the most that one message can carry. */
static void test_many_descriptors(void **state)
{
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	size_t before;
	int fds[253];

	serving_work(serving);
	for (size_t i = 0; i < 253; i++)
		fds[i] = STDERR_FILENO;
	before = serving_fds();
	for (int i = 0; i < 20; i++) {
		send_with(serving, fd, CALL("keep", 1) "\n", fds, 253);
		assert_non_null(strstr(serving_await(serving, fd, "too many descriptors"),
				       "too many descriptors"));
	}
	expect_fds(before);
}

/* Read at once, and still each request has its own. */
static void test_whose_descriptors(void **state)
{
	static const char with[] = CALL("keep", 2) "\n";
	static const char without[] = CALL("keep", 1) "\n";
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	CLEAN_FD int one = a_pidfd();
	const char *heard;

	for (int i = 0; i < 2; i++) {
		assert_true(serving_send(fd, without, sizeof(without) - 1, NULL, 0) > 0);
		assert_true(serving_send(fd, with, sizeof(with) - 1, &one, 1) > 0);
	}
	/* Descriptors go with the first bytes of a line sent in two. */
	assert_true(serving_send(fd, without, 5, &one, 1) > 0);
	serving_work(serving);
	assert_true(serving_send(fd, without + 5, sizeof(without) - 6, NULL, 0) > 0);
	serving_work(serving);
	heard = serving_hear(fd);
	assert_int_equal(serving_count(heard, "{\"first\":false,\"second\":false},\"id\":1}"), 2);
	assert_int_equal(serving_count(heard, "{\"first\":true,\"second\":false},\"id\":2}"), 2);
	assert_int_equal(serving_count(heard, "{\"first\":true,\"second\":false},\"id\":1}"), 1);
}

/* Too many with a half line, and with the line that ends in the same read: neither is done. */
static void test_surplus_twice(void **state)
{
	static const char line[] = CALL("keep", 1) "\n";
	static const int fds[3] = { STDERR_FILENO, STDERR_FILENO, STDERR_FILENO };
	struct serving *serving = *state;
	CLEAN_FD int fd = serving_connect(serving);
	const char *heard;

	assert_true(serving_send(fd, line, 5, fds, 3) > 0);
	serving_work(serving);
	assert_true(serving_send(fd, line + 5, sizeof(line) - 6, NULL, 0) > 0);
	send_with(serving, fd, line, fds, 3);
	heard = serving_hear(fd);
	assert_int_equal(serving_count(heard, "too many descriptors"), 2);
	assert_int_equal(serving_count(heard, "\n"), 2);
	serving_say(serving, fd, CALL("keep", 2));
	expect(fd,
	       "{\"jsonrpc\":\"2.0\",\"result\":{\"first\":false,\"second\":false},\"id\":2}\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, serving_set_up, serving_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_calls),
		TEST(test_refused),
		TEST(test_without_id),
		TEST(test_pieces),
		TEST(test_many_in_one),
		TEST(test_longest_line),
		TEST(test_half_line),
		TEST(test_end_of_sending),
		TEST(test_later),
		TEST(test_notifications),
		TEST(test_large_answers),
		TEST(test_descriptors),
		TEST(test_many_descriptors),
		TEST(test_whose_descriptors),
		TEST(test_surplus_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
