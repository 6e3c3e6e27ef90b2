/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of the control socket against a server in another process.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/client.h"
#include "control/server_private.h"
#include "serving.h"

/* A connection to a server of its own. */
struct scene {
	struct serving serving;
	struct control control;
	struct diag_list diags;
	struct control_answer answer;
	unsigned int notes;
};

static void count_note(void *context, const char *method, json_t *params)
{
	struct scene *scene = context;

	assert_string_equal(method, "event");
	assert_int_equal(json_integer_value(json_object_get(params, "n")), 1);
	scene->notes++;
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	serving_start_child(&scene->serving);
	assert_int_equal(control_connect(scene->serving.path, &scene->control, &scene->diags), 0);
	scene->control.notified = count_note;
	scene->control.context = scene;
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	control_close(&scene->control);
	control_answer_reset(&scene->answer);
	diag_list_reset(&scene->diags);
	serving_stop(&scene->serving);
	free(scene);
	return 0;
}

/* Call with numbers only; the answer is in the scene. */
static int call(struct scene *scene, const char *method, json_t *params, int timeout_ms)
{
	int r;

	control_answer_reset(&scene->answer);
	r = control_call(&scene->control, method, params, NULL, 0, timeout_ms, &scene->answer,
			 &scene->diags);
	json_decref(params);
	return r;
}

static void test_calls(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 100; i++) {
		assert_int_equal(call(scene, "echo", json_pack("{s:i}", "i", i), 10000), 0);
		assert_int_equal(json_integer_value(json_object_get(scene->answer.result, "i")), i);
	}
	assert_int_equal(call(scene, "fail", NULL, 10000), 0);
	assert_null(scene->answer.result);
	assert_int_equal(scene->answer.code, CONTROL_MISSING);
	assert_string_equal(scene->answer.message, "no agent '\\xff\\n'");
}

static void test_notifications(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(call(scene, "subscribe", NULL, 10000), 0);
	assert_non_null(scene->answer.result);
	assert_int_equal(scene->notes, 2);
	assert_int_equal(control_read(&scene->control), 0);
}

static void test_server_dies(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(call(scene, "later", NULL, 50), -ETIMEDOUT);
	kill(scene->serving.child, SIGKILL);
	waitpid(scene->serving.child, NULL, 0);
	scene->serving.child = 0;
	server_free(&scene->serving.server);
	assert_int_equal(call(scene, "later", NULL, 10000), -EPIPE);
	assert_int_equal(control_read(&scene->control), -EPIPE);
	assert_true(diag_has_errors(&scene->diags));
}

static bool said(const struct scene *scene, const char *part)
{
	const struct diag_list *diags = &scene->diags;

	return diags->count > 0 && strstr(diags->items[diags->count - 1].message, part) != NULL;
}

static void test_descriptors(void **state)
{
	struct scene *scene = *state;
	const int fds[] = { STDERR_FILENO, STDERR_FILENO };

	assert_int_equal(control_call(&scene->control, "keep", NULL, fds, 2, 10000, &scene->answer,
				      &scene->diags),
			 0);
	assert_true(json_is_true(json_object_get(scene->answer.result, "first")));
	assert_true(json_is_true(json_object_get(scene->answer.result, "second")));
}

static void test_large(void **state)
{
	CLEAN_FREE char *text = malloc(CONTROL_REQUEST_MAX);
	struct scene *scene = *state;

	assert_int_equal(call(scene, "large", json_pack("{s:i}", "size", 4000000), 10000), 0);
	assert_int_equal(json_string_length(scene->answer.result), 4000000);
	assert_int_equal(call(scene, "large", json_pack("{s:i}", "size", 4194304), 10000), 0);
	assert_int_equal(scene->answer.code, CONTROL_INTERNAL);
	memset(text, 'x', CONTROL_REQUEST_MAX);
	assert_int_equal(call(scene, "echo", json_pack("{s:s%}", "a", text, (size_t)65000), 10000),
			 0);
	assert_int_equal(json_string_length(json_object_get(scene->answer.result, "a")), 65000);
	assert_int_equal(call(scene, "echo", json_pack("{s:s%}", "a", text, (size_t)65536), 10000),
			 -E2BIG);
	assert_true(said(scene, "larger than the daemon takes"));
	/* Nothing of it was sent. */
	assert_int_equal(call(scene, "echo", NULL, 10000), 0);
}

/* What the other end says to a call, word for word. Returns control_call()'s result. */
static int call_scripted(struct scene *scene, const char *script, size_t length)
{
	int ends[2];
	int r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
			 0);
	control_close(&scene->control);
	scene->control.fd = ends[0];
	scene->control.notified = count_note;
	scene->control.context = scene;
	assert_int_equal(write(ends[1], script, length), length);
	assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
	r = call(scene, "m", NULL, 10000);
	close(ends[1]);
	return r;
}

#define NOTE "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"n\":1}}\n"
#define SCRIPT(text) scene, text, strlen(text)

static void test_scripts(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(call_scripted(SCRIPT("{\"result\":1,\"id\":1}\n")), 0);
	assert_int_equal(json_integer_value(scene->answer.result), 1);
	assert_int_equal(call_scripted(SCRIPT("{\"result\":null,\"id\":1}\n")), 0);
	assert_true(json_is_null(scene->answer.result));
	/* Notifications before and after, answers to others. */
	assert_int_equal(call_scripted(SCRIPT(NOTE "{\"result\":2,\"id\":7}\n" NOTE
						   "{\"result\":3,\"id\":1}\n" NOTE)),
			 0);
	assert_int_equal(json_integer_value(scene->answer.result), 3);
	assert_int_equal(scene->notes, 2);
	assert_int_equal(control_read(&scene->control), -EPIPE);
	assert_int_equal(scene->notes, 3);
	/* Not wanted at all: it says why and ends. */
	assert_int_equal(
		call_scripted(SCRIPT("{\"error\":{\"code\":2,\"message\":\"no\"},\"id\":null}\n")),
		0);
	assert_null(scene->answer.result);
	assert_int_equal(scene->answer.code, CONTROL_DENIED);
	assert_string_equal(scene->answer.message, "no");
	assert_int_equal(call_scripted(SCRIPT("{\"error\":{},\"id\":1}\n")), 0);
	assert_int_equal(scene->answer.code, CONTROL_INTERNAL);
	assert_null(scene->answer.message);
}

static void test_bad_scripts(void **state)
{
	static const char *const bad[] = { "x\n",	   "\n",  "[]\n",
					   "{\"id\":1}\n", "{\n", "{\"error\":1,\"id\":1}\n",
					   "1\n" };
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(call_scripted(SCRIPT(bad[i])), -EBADMSG);
		assert_true(said(scene, "what the daemon sent is no answer"));
	}
	assert_int_equal(call_scripted(SCRIPT("")), -EPIPE);
	assert_int_equal(call_scripted(SCRIPT("{\"result\":1,")), -EPIPE);
	assert_true(said(scene, "ended the connection"));
}

/* A line that never ends, from a process that never stops. */
static void test_endless_line(void **state)
{
	struct scene *scene = *state;
	char bytes[4096];
	pid_t child;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	control_close(&scene->control);
	scene->control.fd = ends[0];
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	child = fork();
	if (child == 0) {
		memset(bytes, ' ', sizeof(bytes));
		while (send(ends[1], bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
			;
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(call(scene, "m", NULL, 30000), -EMSGSIZE);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void test_nobody_there(void **state)
{
	struct scene *scene = *state;
	struct control control = CONTROL_NONE;
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/none", scene->serving.folder);
	assert_int_equal(control_connect(path, &control, &scene->diags), -ENOENT);
	/* By the environment, and that nobody serves it is no finding either. */
	kill(scene->serving.child, SIGKILL);
	waitpid(scene->serving.child, NULL, 0);
	scene->serving.child = 0;
	mem_close_fd(&scene->serving.server->listen_fd);
	assert_int_equal(setenv("PICKET_SOCKET", scene->serving.path, 1), 0);
	assert_int_equal(control_connect(NULL, &control, &scene->diags), -ECONNREFUSED);
	assert_int_equal(unsetenv("PICKET_SOCKET"), 0);
	assert_int_equal(scene->diags.count, 0);
	(void)snprintf(path, sizeof(path), "/%0120d", 1);
	assert_int_equal(control_connect(path, &control, &scene->diags), -ENAMETOOLONG);
	assert_true(said(scene, "cannot connect to the daemon"));
	assert_int_equal(unlink(scene->serving.path), 0);
}

/* A socket that another user serves gets nothing from us. */
static void test_not_trusted(void **state)
{
	struct scene *scene = *state;
	struct control control = CONTROL_NONE;
	char byte;
	int ready[2];
	int status;
	pid_t child;
	int fd;

	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe(ready), 0);
	fd = scene->serving.server->listen_fd;
	child = fork();
	if (child == 0) {
		/* Who listens last is the one that is told. */
		(void)close(ready[0]);
		if (setuid(65534) == 0 && listen(fd, 10) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(control_connect(scene->serving.path, &control, &scene->diags), -EPERM);
	assert_true(said(scene, "is not root's but of user 65534"));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_calls),	TEST(test_notifications), TEST(test_server_dies),
		TEST(test_descriptors), TEST(test_large),	  TEST(test_scripts),
		TEST(test_bad_scripts), TEST(test_endless_line),  TEST(test_nobody_there),
		TEST(test_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
