/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What servers answer, and how long is waited before they are asked again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/http_answer.h"
#include "sink/retry.h"

static void statuses(void **state)
{
	static const long final[] = { 300, 301, 400, 405, 413, 415, 422, 499 };
	static const long again[] = { 401, 403, 404, 407, 408, 425, 429, 500, 502, 503, 504, 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++)
		assert_true(http_answer_is_final(final[i]));
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		assert_false(http_answer_is_final(again[i]));
}

static size_t rejected(const char *bytes, size_t length, enum format format)
{
	char copy[256];

	memcpy(copy, bytes, length);
	copy[length] = '\0';
	return http_answer_rejected(copy, length, format);
}

static void partial_success(void **state)
{
	/* partial_success: {rejected_log_records: 300, error_message: "x"} */
	static const char body[] = "\x0a\x06\x08\xac\x02\x12\x01x";
	static const char text[] = "{\"partialSuccess\":{\"rejectedLogRecords\":\"7\"}}";
	static const char number[] = "{\"partialSuccess\":{\"rejectedLogRecords\":8}}";

	(void)state;
	assert_int_equal(rejected(body, sizeof(body) - 1, FORMAT_OTLP_PROTOBUF), 300);
	assert_int_equal(rejected(text, sizeof(text) - 1, FORMAT_OTLP_JSON), 7);
	assert_int_equal(rejected(number, sizeof(number) - 1, FORMAT_OTLP_JSON), 8);
	assert_int_equal(rejected("", 0, FORMAT_OTLP_PROTOBUF), 0);
	assert_int_equal(rejected("", 0, FORMAT_OTLP_JSON), 0);
	assert_int_equal(rejected("{}", 2, FORMAT_OTLP_JSON), 0);
	/* Cut, longer than it is, not ending, another field. */
	for (size_t length = 0; length < 5; length++)
		assert_int_equal(rejected(body, length, FORMAT_OTLP_PROTOBUF), 0);
	assert_int_equal(rejected("\x0a\x7f\x08\x01", 4, FORMAT_OTLP_PROTOBUF), 0);
	assert_int_equal(rejected("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11,
				  FORMAT_OTLP_PROTOBUF),
			 0);
	assert_int_equal(rejected("\x12\x02\x08\x01", 4, FORMAT_OTLP_PROTOBUF), 0);
}

static void waits_grow_and_end(void **state)
{
	unsigned int most = RETRY_FIRST_MS;

	(void)state;
	for (unsigned int failures = 1; failures < 100; failures++) {
		for (int i = 0; i < 50; i++) {
			unsigned int wait = retry_wait_ms(failures);

			assert_true(wait >= most / 2);
			assert_true(wait <= most);
		}
		most = most * 2 < RETRY_MOST_MS ? most * 2 : RETRY_MOST_MS;
	}
	assert_int_equal(most, RETRY_MOST_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses),
		cmocka_unit_test(partial_success),
		cmocka_unit_test(waits_grow_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
