/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit test that must fail: one passing case, one failing one, and a failing exit status.
 *
 * `make test-unit` runs it first and stops when the harness does not report exactly that failure,
 * for a harness that cannot fail proves nothing. It is not counted and tests nothing of picket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void passes(void **state)
{
	(void)state;
	assert_int_equal(1, 1);
}

static void fails(void **state)
{
	(void)state;
	assert_int_equal(1, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes),
		cmocka_unit_test(fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
