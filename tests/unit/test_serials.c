/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of serials by itself: its bounds, and several who write it at once. What loads make of it is in
 * test_signing.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "commands.h"
#include "sign/serials.h"

/** Who write at once, and how often each. */
#define WRITERS 8
#define ROUNDS 20

static char folder[] = "/tmp/picket-serials-XXXXXX";
static char record[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(record, sizeof(record), "%s/serials", folder);
	return 0;
}

static int tear_down(void **state)
{
	char spare[sizeof(record) + sizeof(SERIALS_SPARE)];

	(void)state;
	(void)snprintf(spare, sizeof(spare), "%s" SERIALS_SPARE, record);
	(void)unlink(record);
	(void)unlink(spare);
	return rmdir(folder);
}

/* Ask for policy @name with @serial; what is said goes to *@ret_why. */
static int ask(const char *name, __u64 serial, enum serials_use use, char **ret_why)
{
	struct manifest manifest = { .text = (char *)name, .size = strlen(name), .serial = serial };
	const char *hint = NULL;

	(void)snprintf(manifest.policy, sizeof(manifest.policy), "%s", name);
	return serials_check(record, geteuid(), use, &manifest, ret_why, &hint);
}

static int accept_serial(const char *name, __u64 serial)
{
	CLEAN_FREE char *why = NULL;

	return ask(name, serial, SERIALS_ACCEPT, &why);
}

/* A record of @first, when it is not NULL, and others up to the most that it may have. */
static void fill(const char *first)
{
	FILE *to = fopen(record, "we");

	assert_non_null(to);
	(void)fputs("picket serials 1\n", to);
	if (first)
		(void)fprintf(to, "%s 1 %064d\n", first, 0);
	for (int i = first ? 1 : 0; i < SERIALS_MAX; i++)
		(void)fprintf(to, "policy-%d 1 %064d\n", i, 0);
	assert_int_equal(fclose(to), 0);
}

/* One line more would make it a damaged one, which refuses every policy. */
static void a_full_one_takes_no_more(void **state)
{
	CLEAN_FREE char *expected = NULL;
	CLEAN_FREE char *why = NULL;

	(void)state;
	assert_true(asprintf(&expected, "the record of serials '%s' is full: 10000 policies",
			     record) > 0);
	fill(NULL);
	assert_int_equal(ask("coder", 2, SERIALS_ACCEPT, &why), -ENOSPC);
	assert_string_equal(why, expected);
	assert_int_equal(accept_serial("policy-7", 2), 0);
	fill("coder");
	assert_int_equal(accept_serial("coder", 2), 0);
	assert_int_equal(accept_serial("coder", 1), -ESTALE);
	assert_int_equal(unlink(record), 0);
}

static void write_often(int number)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "writer-%d", number);
	for (__u64 serial = 1; serial <= ROUNDS; serial++) {
		if (accept_serial(name, serial) < 0)
			_exit(1);
	}
	_exit(0);
}

/* What one has accepted no other forgets. */
static void writers_do_not_forget_each_other(void **state)
{
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *why = NULL;
	pid_t writers[WRITERS];

	(void)state;
	assert_int_equal(ask("first", 1, SERIALS_BEGIN, &why), 0);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = fork();
		assert_true(writers[i] >= 0);
		if (writers[i] == 0)
			write_often(i);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status = -1;

		assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
		assert_int_equal(status, 0);
	}
	text = read_file(record);
	for (int i = 0; i < WRITERS; i++) {
		char line[48];

		(void)snprintf(line, sizeof(line), "\nwriter-%d %d ", i, ROUNDS);
		assert_non_null(strstr(text, line));
	}
	assert_non_null(strstr(text, "\nfirst 1 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_one_takes_no_more),
		cmocka_unit_test(writers_do_not_forget_each_other),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
