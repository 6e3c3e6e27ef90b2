/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP in the loop: addresses, honest clients, and those that are slow, big, many or lie about the host.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loopback.h"
#include "base/mem.h"
#include "daemon/http.h"
#include "daemon/loop.h"

/* A server, and what its handler saw. */
struct scene {
	struct http *http;
	struct diag_list diags;
	char address[32];
	struct loopback where;
	int epoll;
	char seen[256];
	size_t body;
};

static void answer(void *context, const struct http_request *request, struct http_answer *answer)
{
	struct scene *scene = context;

	(void)snprintf(scene->seen, sizeof(scene->seen), "%s %s %s", request->method, request->path,
		       request->content_type);
	scene->body = request->length;
	if (strcmp(request->path, "/empty") == 0)
		answer->status = 204;
	else
		http_say(answer, 200, "body %zu\n", request->length);
}

/* A port that was free a moment ago. */
static void choose_port(struct scene *scene)
{
	const char *fault;
	int fd;

	assert_int_equal(loopback_parse("127.0.0.1:1", &scene->where, &fault), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	((struct sockaddr_in *)&scene->where.address)->sin_port = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&scene->where.address, scene->where.length),
			 0);
	assert_int_equal(
		getsockname(fd, (struct sockaddr *)&scene->where.address, &scene->where.length), 0);
	(void)close(fd);
	(void)snprintf(scene->address, sizeof(scene->address), "127.0.0.1:%u",
		       ntohs(((struct sockaddr_in *)&scene->where.address)->sin_port));
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct http_options options = { .handler = answer, .context = scene };

	scene->epoll = epoll_create1(EPOLL_CLOEXEC);
	choose_port(scene);
	options.epoll = scene->epoll;
	options.address = scene->address;
	assert_int_equal(http_open(&options, &scene->http, &scene->diags), 0);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	http_close(&scene->http);
	diag_list_reset(&scene->diags);
	(void)close(scene->epoll);
	free(scene);
	return 0;
}

static int connect_to(const struct scene *scene)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)connect(fd, (const struct sockaddr *)&scene->where.address, scene->where.length);
	return fd;
}

/* One turn of the loop; it never takes long. */
static void turn(const struct scene *scene)
{
	struct timespec before;
	struct timespec after;

	assert_int_equal(loop_wait(scene->epoll, 5), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(loop_wait(scene->epoll, 0), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000 +
			    (after.tv_nsec - before.tv_nsec) / 1000000 <
		    500);
}

static void send_all(const struct scene *scene, int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return; /* the answer is there already */
		bytes += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
		turn(scene);
	}
}

/* All until the end of the connection, in at most @turns turns. The number of bytes, or -1. */
static ssize_t read_all(const struct scene *scene, int fd, char *text, size_t size)
{
	size_t length = 0;

	for (int turns = 0; turns < 3000; turns++) {
		ssize_t n = recv(fd, text + length, size - 1 - length, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != ENOTCONN)) {
			text[length] = '\0';
			return (ssize_t)length;
		}
		length += n > 0 ? (size_t)n : 0;
		turn(scene);
	}
	return -1;
}

static void ask(const struct scene *scene, const char *request, char *text, size_t size)
{
	CLEAN_FD int fd = connect_to(scene);

	turn(scene);
	send_all(scene, fd, request, strlen(request));
	assert_true(read_all(scene, fd, text, size) >= 0);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		int r;
	} rows[] = {
		{ "127.0.0.1:9464", 0 },
		{ "127.9.8.7:1", 0 },
		{ "[::1]:65535", 0 },
		{ "0.0.0.0:9464", -EADDRNOTAVAIL },
		{ "192.0.2.1:9464", -EADDRNOTAVAIL },
		{ "128.0.0.1:9464", -EADDRNOTAVAIL },
		{ "[::]:9464", -EADDRNOTAVAIL },
		{ "[::ffff:127.0.0.1]:9464", -EADDRNOTAVAIL },
		{ "[2001:db8::1]:80", -EADDRNOTAVAIL },
		{ "localhost:9464", -EINVAL },
		{ "127.0.0.1", -EINVAL },
		{ "127.0.0.1:", -EINVAL },
		{ "127.0.0.1:0", -EINVAL },
		{ "127.0.0.1:65536", -EINVAL },
		{ "127.0.0.1:80x", -EINVAL },
		{ "127.0.0.1:+80", -EINVAL },
		{ "::1:9464", -EINVAL },
		{ "[::1]9464", -EINVAL },
		{ "[::1", -EINVAL },
		{ "[127.0.0.1]:9464", -EINVAL },
		{ "", -EINVAL },
		{ "1111111111111111111111111111111111111111111111111111:1", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct loopback where;
		const char *fault = NULL;

		if (loopback_parse(rows[i].text, &where, &fault) != rows[i].r)
			fail_msg("%s", rows[i].text);
		assert_true(fault && *fault);
		assert_true(rows[i].r || where.length);
	}
}

static void test_hosts(void **state)
{
	static const char *const ours[] = { "localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:80",
					    "127.3.2.1:9464" };
	static const char *const others[] = { "evil.example",
					      "evil.example:9464",
					      "127.0.0.1.evil.example",
					      "192.0.2.1",
					      "[::2]",
					      "localhost:x",
					      "" };

	(void)state;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		assert_true(loopback_is_host(ours[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(loopback_is_host(others[i]));
}

static void test_opening(void **state)
{
	struct scene *scene = *state;
	struct http_options options = { .epoll = scene->epoll, .address = scene->address };
	struct http *second = NULL;

	assert_int_equal(http_open(&options, &second, &scene->diags), -EADDRINUSE);
	assert_null(second);
	assert_non_null(strstr(scene->diags.items[0].message, "cannot listen on '127.0.0.1:"));
	assert_non_null(strstr(scene->diags.items[0].hint, "choose another port"));
	options.address = "10.0.0.1:9464";
	assert_int_equal(http_open(&options, &second, &scene->diags), -EADDRNOTAVAIL);
	assert_non_null(strstr(scene->diags.items[1].message, "only this machine may reach it"));
}

static void test_request(void **state)
{
	struct scene *scene = *state;
	char text[4096];

	ask(scene, "GET /metrics?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n", text, sizeof(text));
	assert_ptr_equal(strstr(text, "HTTP/1.1 200"), text);
	assert_non_null(strstr(text, "Connection: close"));
	assert_non_null(strstr(text, "\r\n\r\nbody 0\n"));
	assert_string_equal(scene->seen, "GET /metrics ");
	ask(scene, "GET /empty HTTP/1.0\r\n\r\n", text, sizeof(text));
	assert_non_null(strstr(text, " 204 "));
	ask(scene, "HEAD / HTTP/1.1\r\nHost: [::1]:9\r\n\r\n", text, sizeof(text));
	assert_non_null(strstr(text, " 200 "));
	assert_null(strstr(text, "body 0"));
	ask(scene, "nonsense\r\n\r\n", text, sizeof(text));
	assert_null(strstr(text, " 200 "));
}

static void test_rebound_name(void **state)
{
	struct scene *scene = *state;
	char text[4096];

	ask(scene, "GET /metrics HTTP/1.1\r\nHost: evil.example:9464\r\n\r\n", text, sizeof(text));
	assert_ptr_equal(strstr(text, "HTTP/1.1 421"), text);
	assert_string_equal(scene->seen, "");
}

/* A body of @length bytes, told beforehand or in chunks; the status is in @text. */
static void post(const struct scene *scene, size_t length, bool chunked, char *text, size_t size)
{
	CLEAN_FREE char *request = malloc(length + 512);
	int head = chunked ?
			   sprintf(request,
				   "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\n"
				   "Content-Type: application/json\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
				   length) :
			   sprintf(request,
				   "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\n"
				   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
				   length);
	CLEAN_FD int fd = connect_to(scene);

	memset(request + head, 'x', length);
	(void)strcpy(request + head + length, chunked ? "\r\n0\r\n\r\n" : "");
	turn(scene);
	send_all(scene, fd, request, (size_t)head + length + (chunked ? 7 : 0));
	assert_true(read_all(scene, fd, text, size) >= 0);
}

static void test_bodies(void **state)
{
	struct scene *scene = *state;
	char text[4096];

	post(scene, 100000, false, text, sizeof(text));
	assert_non_null(strstr(text, "body 100000\n"));
	assert_string_equal(scene->seen, "POST /v1/logs application/json");
	post(scene, HTTP_BODY_MAX, false, text, sizeof(text));
	assert_non_null(strstr(text, "body 4194304\n"));
	scene->body = 0;
	post(scene, HTTP_BODY_MAX, true, text, sizeof(text));
	assert_non_null(strstr(text, "body 4194304\n"));
	scene->body = 0;
	post(scene, HTTP_BODY_MAX + 1, true, text, sizeof(text));
	assert_non_null(strstr(text, " 413 "));
	assert_int_equal(scene->body, 0);
}

static void test_announced_too_large(void **state)
{
	struct scene *scene = *state;
	char text[4096];

	ask(scene, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4194305\r\n\r\n", text,
	    sizeof(text));
	assert_non_null(strstr(text, " 413 "));
	assert_non_null(strstr(text, "over 4 MiB"));
}

/* One that sends a byte now and then, and as many as there can be: others wait no longer than they last. */
static void test_slow_clients(void **state)
{
	struct scene *scene = *state;
	int slow[HTTP_CONNECTIONS_MAX];
	struct timespec begin;
	struct timespec now;
	char text[4096];

	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		slow[i] = connect_to(scene);
		turn(scene);
		(void)send(slow[i], "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL);
		turn(scene);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
			(void)send(slow[i], "X", 1, MSG_NOSIGNAL);
		for (int i = 0; i < 100; i++)
			turn(scene);
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - begin.tv_sec <= HTTP_TIME_MS / 1000);
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		assert_true(read_all(scene, slow[i], text, sizeof(text)) >= 0);
		assert_null(strstr(text, " 200 "));
		(void)close(slow[i]);
	}
	ask(scene, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", text, sizeof(text));
	assert_non_null(strstr(text, "body 0\n"));
	json_t *status = http_status(scene->http);
	assert_int_equal(json_integer_value(json_object_get(status, "cut")), HTTP_CONNECTIONS_MAX);
	json_decref(status);
}

/* Closed while somebody is connected. */
static void test_closing(void **state)
{
	struct scene *scene = *state;
	int fd = connect_to(scene);
	char text[64];

	turn(scene);
	(void)send(fd, "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc", 42, MSG_NOSIGNAL);
	turn(scene);
	http_close(&scene->http);
	assert_null(scene->http);
	assert_true(read_all(scene, fd, text, sizeof(text)) >= 0);
	(void)close(fd);
	fd = connect_to(scene);
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	assert_int_equal(poll(&poll_fd, 1, 1000), 1);
	assert_true(poll_fd.revents & (POLLERR | POLLHUP));
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test_setup_teardown(test_opening, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rebound_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bodies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_announced_too_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slow_clients, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_closing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
