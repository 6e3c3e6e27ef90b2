/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Repeats become one record, and the sum of all records is what happened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/fold.h"

#define LINE "{\"path\":\"/a,\\\"seq\\\":9\",\"seq\":4}"

/** What was handed out for repeats. */
struct seen {
	unsigned long long records;
	unsigned long long acts;
	char last[512];
};

static void take(void *context, const char *text)
{
	struct seen *seen = context;
	const char *count = strstr(text, "\"folded\":{\"count\":");

	assert_non_null(count);
	seen->records++;
	seen->acts += strtoull(count + 18, NULL, 10);
	(void)snprintf(seen->last, sizeof(seen->last), "%s", text);
}

static struct event event_of(unsigned int pid, const char *path, __u64 ns)
{
	return (struct event){
		.head = { .kind = PK_EVENT_ACTIVITY, .tgid = pid, .tid = (__u32)ns, .time_ns = ns },
		.path = { path, strlen(path) },
	};
}

/* Offer it; true when it got a record of its own. */
static bool offer(struct fold *fold, struct event event)
{
	if (fold_repeats(fold, &event))
		return false;
	fold_remember(fold, &event, LINE, sizeof(LINE) - 1);
	return true;
}

static void repeats_are_one_record(void **state)
{
	struct seen seen = { 0 };
	struct fold *fold = fold_new(take, &seen);

	(void)state;
	assert_true(offer(fold, event_of(1, "/a", 1000)));
	for (unsigned int i = 1; i <= 50; i++)
		assert_false(offer(fold, event_of(1, "/a", 1000 + i)));
	assert_true(fold_expire(fold, 1000 + FOLD_NS));
	assert_int_equal(seen.records, 0);
	assert_false(fold_expire(fold, 1001 + FOLD_NS));
	assert_int_equal(seen.records, 1);
	assert_int_equal(seen.acts, 50);
	/* The number of the first record is not the second's, and what looks like one in a path is none. */
	assert_non_null(
		strstr(seen.last, "{\"path\":\"/a,\\\"seq\\\":9\",\"folded\":{\"count\":50,"));
	assert_null(strstr(seen.last, "\"seq\":4"));
	/* After it, the same act is a first one again. */
	assert_true(offer(fold, event_of(1, "/a", 2000 + FOLD_NS)));
	fold_free(&fold);
	assert_int_equal(seen.records, 1);
}

static void others_are_others(void **state)
{
	struct seen seen = { 0 };
	struct fold *fold = fold_new(take, &seen);
	struct event event = event_of(1, "/a", 1);

	(void)state;
	assert_true(offer(fold, event));
	assert_true(offer(fold, event_of(2, "/a", 2)));
	assert_true(offer(fold, event_of(1, "/b", 3)));
	event.head.op = 1;
	assert_true(offer(fold, event));
	event.head.start_ns = 5;
	assert_true(offer(fold, event));
	assert_true(offer(fold, event_of(1, "/a", 2 + FOLD_NS)));
	fold_free(&fold);
	assert_int_equal(seen.records, 0);
}

static void the_sum_is_exact(void **state)
{
	struct seen seen = { 0 };
	struct fold *fold = fold_new(take, &seen);
	unsigned long long own = 0;
	unsigned int random = 1;
	char path[16];

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		random = random * 1664525U + 1013904223U;
		/* More acts than places. */
		(void)snprintf(path, sizeof(path), "/%u", (random >> 8) % 3000);
		own += offer(fold, event_of((random >> 20) % 2, path, (__u64)i * 20000));
		if (i % 5000 == 0)
			(void)fold_expire(fold, (__u64)i * 20000);
	}
	fold_free(&fold);
	assert_int_equal(own + seen.acts, 200000);
	assert_true(seen.records > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_are_one_record),
		cmocka_unit_test(others_are_others),
		cmocka_unit_test(the_sum_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
