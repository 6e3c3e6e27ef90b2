/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of the control socket against a server in another process.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/client.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_calls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_notifications, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_server_dies, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
