/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program that is asked may answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/asks.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *text;
	int verdict; /* -1: refused */
	int mode;
	unsigned int seconds;
} said[] = {
	{ "{\"verdict\":\"approve\"}\n", ASK_HOOK_APPROVES, ASK_ONCE, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"once\"}", ASK_HOOK_APPROVES, ASK_ONCE, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"for\",\"seconds\":60}", ASK_HOOK_APPROVES, ASK_FOR,
	  60 },
	{ "{\"verdict\":\"approve\",\"mode\":\"agent\",\"reason\":\"r\"}", ASK_HOOK_APPROVES,
	  ASK_AGENT, 0 },
	{ "{\"verdict\":\"refuse\"}", ASK_HOOK_REFUSES, ASK_ONCE, 0 },
	{ "{\"verdict\":\"none\"}", ASK_HOOK_SAYS_NONE, ASK_ONCE, 0 },
	{ "", -1, 0, 0 },
	{ "yes", -1, 0, 0 },
	{ "[]", -1, 0, 0 },
	{ "{}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\"", -1, 0, 0 },
	{ "{\"verdict\":\"approve\"} x", -1, 0, 0 },
	{ "{\"verdict\":\"Approve\"}", -1, 0, 0 },
	{ "{\"verdict\":true}", -1, 0, 0 },
	{ "{\"verdict\":\"refuse\",\"verdict\":\"approve\"}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"always\"}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"forever\"}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"for\"}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"for\",\"seconds\":0}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"for\",\"seconds\":4294967297}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"agent\",\"seconds\":5}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"more\":1}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"reason\":\"\\u001b[2J\"}", -1, 0, 0 },
};

static void programs_answer_by_one_object(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(said); i++) {
		struct ask_hook_answer answer = { 0 };
		const char *why = NULL;
		int r = ask_hook_parse(said[i].text, strlen(said[i].text), &answer, &why);

		if ((r == 0) != (said[i].verdict >= 0))
			fail_msg("%s: %d", said[i].text, r);
		if (r == 0) {
			assert_int_equal(answer.verdict, said[i].verdict);
			assert_int_equal(answer.mode, said[i].mode);
			assert_int_equal(answer.seconds, said[i].seconds);
		} else {
			assert_non_null(why);
		}
		free(answer.reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_answer_by_one_object),
	};

	return cmocka_run_group_tests_name("ask_hook", tests, NULL, NULL);
}
