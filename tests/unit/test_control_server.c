/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: requests and answers, limits, floods, and who is at the other end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "serving.h"

#define CALL(method, id) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":" #id "}"

static int set_up(void **state)
{
	struct serving *serving = malloc(sizeof(*serving));

	serving_start(serving);
	*state = serving;
	return 0;
}

static int tear_down(void **state)
{
	serving_stop(*state);
	free(*state);
	return 0;
}

static void test_calls(void **state)
{
	struct serving *serving = *state;
	int fd = serving_connect(serving);

	serving_say(serving, fd,
		    "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":1,\"params\":{\"a\":[1]}}");
	assert_string_equal(serving_hear(fd),
			    "{\"jsonrpc\":\"2.0\",\"result\":{\"a\":[1]},\"id\":1}\n");
	serving_say(serving, fd, CALL("fail", "x"));
	assert_string_equal(
		serving_hear(fd),
		"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":3,\"message\":\"no agent '\\\\xff\\\\n'\","
		"\"data\":{\"seen\":1}},\"id\":\"x\"}\n");
	close(fd);
	serving_work(serving);
	assert_int_equal(serving->gone, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_calls, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
