/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compiled matcher against the reference on random policies and keys, and the proof that the
 * comparison sees mistakes. PICKET_SEED and PICKET_PAIRS override the seed and the amount.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "differential.h"

#define KEYS 300

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static void agrees_with_reference(void **state)
{
	unsigned long pairs = from_environment("PICKET_PAIRS", 1000000);
	struct dice dice = { .state = from_environment("PICKET_SEED", 20261121) };
	struct differential d = { .verbose = true };

	(void)state;
	printf("# seed %llu\n", (unsigned long long)dice.state);
	while (d.pairs < pairs && !d.differences && !d.refused)
		differential_run(&d, &dice, KEYS, NAIVE_RIGHT);
	printf("# %zu policies, %zu pairs, %zu decided by a rule\n", d.policies, d.pairs, d.ruled);
	assert_int_equal(d.refused, 0);
	assert_int_equal(d.differences, 0);
	/* Keys that only ever meet defaults would prove nothing. */
	assert_true(d.ruled > d.pairs / 5);
}

static void sees_every_fault(void **state)
{
	(void)state;
	for (enum naive_fault fault = NAIVE_RIGHT + 1; fault < NAIVE_FAULT__MAX; fault++) {
		struct dice dice = { .state = 7 };
		struct differential d = { 0 };

		while (d.pairs < 100000 && !d.differences)
			differential_run(&d, &dice, 50, fault);
		printf("# fault %d seen after %zu pairs\n", fault, d.pairs);
		assert_int_not_equal(d.differences, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_reference),
		cmocka_unit_test(sees_every_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
