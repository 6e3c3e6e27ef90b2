/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bucket of report.rate: what it lets go at once, how it fills, and that many who take at the same
 * time get what one alone would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "policy/matcher.h"

#include <picket/bucket.h>

#define SECOND PK_BUCKET_NS
#define START (1000 * SECOND)
#define THREADS 4
#define TRIES 50000

static __u32 take_many(__u64 *due, __u64 now, __u32 rate, __u32 tries)
{
	__u32 taken = 0;

	for (__u32 i = 0; i < tries; i++)
		taken += (__u32)pk_bucket_take(due, now, rate);
	return taken;
}

static void a_second_is_let_go_at_once(void **state)
{
	static const __u32 rates[] = { 1, 2, 3, 7, 10, 100, 1000, 20000 };

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		__u64 due = 0;

		assert_int_equal(take_many(&due, START, rates[i], 3 * rates[i]), rates[i]);
		/* However long nothing was taken, it holds no more. */
		assert_int_equal(take_many(&due, START + 100 * SECOND, rates[i], 3 * rates[i]),
				 rates[i]);
	}
}

static void it_fills_evenly(void **state)
{
	__u64 due = 0;

	(void)state;
	assert_int_equal(take_many(&due, START, 4, 100), 4);
	assert_int_equal(take_many(&due, START + SECOND / 4 - 1, 4, 100), 0);
	assert_int_equal(take_many(&due, START + SECOND / 4, 4, 100), 1);
	assert_int_equal(take_many(&due, START + SECOND, 4, 100), 3);
	assert_int_equal(take_many(&due, START + SECOND, 4, 100), 0);
}

/* A fixed window would let twice as many go around its end. */
static void no_second_has_more_than_twice_the_rate(void **state)
{
	__u64 due = 0;
	__u32 taken = 0;

	(void)state;
	for (__u64 now = START; now < START + 10 * SECOND; now += SECOND / 1000)
		taken += (__u32)pk_bucket_take(&due, now, 50);
	assert_in_range(taken, 50 + 50 * 10 - 1, 50 + 50 * 10);
}

static void a_slow_clock_loses_nothing(void **state)
{
	__u64 due = 0;

	(void)state;
	assert_int_equal(take_many(&due, START, 10, 100), 10);
	/* Another CPU's clock, read before ours. */
	assert_int_equal(take_many(&due, START - 1000, 10, 100), 0);
	assert_int_equal(take_many(&due, START + SECOND, 10, 100), 10);
}

struct work {
	__u64 *due;
	__u32 rate;
	__u32 taken;
};

static void *take_at_once(void *argument)
{
	struct work *work = argument;

	work->taken = take_many(work->due, START, work->rate, TRIES);
	return NULL;
}

static __u32 together(__u32 rate)
{
	struct work works[THREADS];
	pthread_t threads[THREADS];
	__u64 due = 0;
	__u32 taken = 0;

	for (size_t i = 0; i < THREADS; i++) {
		works[i] = (struct work){ .due = &due, .rate = rate };
		assert_int_equal(pthread_create(&threads[i], NULL, take_at_once, &works[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		taken += works[i].taken;
	}
	return taken;
}

static void many_take_what_one_would(void **state)
{
	(void)state;
	assert_int_equal(together(100), 100);
	assert_int_equal(together(10000), 10000);
	assert_int_equal(together(THREADS * TRIES), THREADS * TRIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_is_let_go_at_once),
		cmocka_unit_test(it_fills_evenly),
		cmocka_unit_test(no_second_has_more_than_twice_the_rate),
		cmocka_unit_test(a_slow_clock_loses_nothing),
		cmocka_unit_test(many_take_what_one_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
