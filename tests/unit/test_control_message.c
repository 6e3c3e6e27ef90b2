/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a request line may be, and the lines that are made.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/message.h"

#define HEAD "{\"jsonrpc\":\"2.0\",\"method\":\"m\""
#define TEN "[[[[[[[[[["

static void expect_refused(const char *line, int wanted, const char *part)
{
	struct control_request request;
	const char *message = NULL;
	int code = 0;

	assert_int_equal(control_request_parse(line, strlen(line), &request, &code, &message),
			 -EINVAL);
	assert_int_equal(code, wanted);
	if (!strstr(message, part))
		fail_msg("'%s': '%s' is not in '%s'", line, part, message);
	control_request_reset(&request);
}

static void expect_taken(const char *line, const char *id, const char *params)
{
	CLEAN_FREE char *params_text = NULL;
	CLEAN_FREE char *id_text = NULL;
	struct control_request request;
	const char *message;
	int code;

	assert_int_equal(control_request_parse(line, strlen(line), &request, &code, &message), 0);
	assert_string_equal(request.method, "m");
	params_text = json_dumps(request.params, JSON_COMPACT);
	assert_string_equal(params_text, params);
	id_text = request.id ? json_dumps(request.id, JSON_ENCODE_ANY) : NULL;
	if (id)
		assert_string_equal(id_text, id);
	else
		assert_null(request.id);
	control_request_reset(&request);
}

static void test_taken(void **state)
{
	(void)state;
	expect_taken(HEAD "}", NULL, "{}");
	expect_taken(HEAD ",\"id\":7}", "7", "{}");
	expect_taken(HEAD ",\"id\":-7,\"params\":{\"a\":{\"b\":[1,null]}}}", "-7",
		     "{\"a\":{\"b\":[1,null]}}");
	expect_taken(
		" {\"id\":\"\xc3\xa9\", \"params\" : {}, \"method\":\"m\",\"jsonrpc\":\"2.0\"}\r ",
		"\"\xc3\xa9\"", "{}");
	/* Brackets in text are no nesting. */
	expect_taken(HEAD ",\"params\":{\"a\":\"" TEN TEN TEN "\\\"" TEN "\"}}", NULL,
		     "{\"a\":\"" TEN TEN TEN "\\\"" TEN "\"}");
}

static void test_not_json(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"x",
		"{",
		"}",
		"{}{}",
		HEAD,
		HEAD "}x",
		HEAD ",}",
		"{'a':1}",
		"\"",
		"\\",
		HEAD ",\"method\":\"n\"}",
		HEAD ",\"params\":{\"a\":1,\"a\":2}}",
		"\xff",
		"// x",
		HEAD ",\"params\":{\"a\":\"\xff\"}}",
		HEAD ",\"params\":{\"a\":\"\\u0000\"}}",
		HEAD ",\"params\":{\"a\":1e999}}",
		HEAD ",\"id\":99999999999999999999}",
		HEAD ",\"params\":{\"a\":NaN}}",
		"nul",
		"{\"jsonrpc\":\"2.0\",\"method\":\"a\nb\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		expect_refused(lines[i], CONTROL_PARSE, "not JSON");
}

static void test_zero_byte(void **state)
{
	static const char line[] = HEAD "}\0";
	struct control_request request;
	const char *message;
	int code;

	(void)state;
	assert_int_equal(control_request_parse(line, sizeof(line) - 1, &request, &code, &message),
			 -EINVAL);
	control_request_reset(&request);
}

static void test_depth(void **state)
{
	char line[60000];

	(void)state;
	expect_taken(HEAD ",\"params\":{\"a\":[[[[[[[[[[1]]]]]]]]]]}}", NULL,
		     "{\"a\":[[[[[[[[[[1]]]]]]]]]]}");
	expect_refused(HEAD ",\"params\":{\"a\":" TEN "[[[[[1]]]]]]]]]]]]]]]}}", CONTROL_PARSE,
		       "nested");
	memset(line, '[', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	expect_refused(line, CONTROL_PARSE, "nested");
}

static void test_invalid(void **state)
{
	char long_id[200];
	char line[400];

	(void)state;
	expect_refused("[" HEAD "}]", CONTROL_INVALID, "batches");
	expect_refused("[]", CONTROL_INVALID, "batches");
	expect_refused("{}", CONTROL_INVALID, "'jsonrpc'");
	expect_refused("{\"jsonrpc\":2.0,\"method\":\"m\"}", CONTROL_INVALID, "'jsonrpc'");
	expect_refused("{\"jsonrpc\":\"1.0\",\"method\":\"m\"}", CONTROL_INVALID, "'jsonrpc'");
	expect_refused("{\"jsonrpc\":\"2.0\"}", CONTROL_INVALID, "'method'");
	expect_refused("{\"jsonrpc\":\"2.0\",\"method\":\"\"}", CONTROL_INVALID, "'method'");
	expect_refused("{\"jsonrpc\":\"2.0\",\"method\":1}", CONTROL_INVALID, "'method'");
	expect_refused(HEAD ",\"params\":[]}", CONTROL_INVALID, "'params'");
	expect_refused(HEAD ",\"params\":null}", CONTROL_INVALID, "'params'");
	expect_refused(HEAD ",\"id\":null}", CONTROL_INVALID, "'id'");
	expect_refused(HEAD ",\"id\":1.5}", CONTROL_INVALID, "'id'");
	expect_refused(HEAD ",\"id\":[1]}", CONTROL_INVALID, "'id'");
	expect_refused(HEAD ",\"parms\":{}}", CONTROL_INVALID, "members");
	memset(long_id, 'x', sizeof(long_id));
	(void)snprintf(line, sizeof(line), HEAD ",\"id\":\"%.129s\"}", long_id);
	expect_refused(line, CONTROL_INVALID, "'id'");
	(void)snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"method\":\"%.65s\"}", long_id);
	expect_refused(line, CONTROL_INVALID, "'method'");
}

/* Who made a mistake gets the answer under the id that could be read. */
static void test_id_of_invalid(void **state)
{
	static const char line[] = HEAD ",\"id\":5,\"extra\":1}";
	struct control_request request;
	const char *message;
	int code;

	(void)state;
	assert_int_equal(control_request_parse(line, strlen(line), &request, &code, &message),
			 -EINVAL);
	assert_int_equal(json_integer_value(request.id), 5);
	control_request_reset(&request);
}

static void expect_line(char *line, const char *wanted)
{
	assert_string_equal(line, wanted);
	free(line);
}

static void test_lines(void **state)
{
	json_t *id = json_string("a\nb");
	json_t *object = json_pack("{s:s}", "text", "one\ntwo");

	(void)state;
	expect_line(control_result_line(id, object),
		    "{\"jsonrpc\":\"2.0\",\"result\":{\"text\":\"one\\ntwo\"},\"id\":\"a\\nb\"}\n");
	expect_line(
		control_error_line(NULL, CONTROL_BUSY, "later", NULL),
		"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":4,\"message\":\"later\"},\"id\":null}\n");
	expect_line(control_error_line(id, CONTROL_FAILED, NULL, object),
		    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"it failed\","
		    "\"data\":{\"text\":\"one\\ntwo\"}},\"id\":\"a\\nb\"}\n");
	expect_line(
		control_error_line(id, CONTROL_FAILED, "\xff", NULL),
		"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"\\\\xff\"},\"id\":\"a\\nb\"}\n");
	expect_line(
		control_notification_line("event", object),
		"{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"text\":\"one\\ntwo\"}}\n");
	json_decref(id);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),	      cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_zero_byte),     cmocka_unit_test(test_depth),
		cmocka_unit_test(test_invalid),	      cmocka_unit_test(test_lines),
		cmocka_unit_test(test_id_of_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
