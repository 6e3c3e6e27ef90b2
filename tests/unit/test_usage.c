/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wrong command lines, each with its exact sentence: the table is usage.txt. usage_judge.py runs
 * them, looks in the sources for sentences without a row, tries what every command must refuse,
 * compares the man page with --help, and runs the commands that the documents show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

/* What the judge finds stands on standard error. */
static void judge(const char *part)
{
	const char *binary = getenv("PICKET");
	CLEAN_FREE char *command = NULL;

	if (!binary || access(binary, X_OK) < 0)
		skip();
	assert_true(asprintf(&command, "python3 tests/unit/usage_judge.py %s", part) > 0);
	if (system(command) != 0) /* NOLINT(cert-env33-c): words of our own */
		fail_msg("%s: see above", part);
}

static void wrong_command_lines(void **state)
{
	(void)state;
	judge("rows");
}

static void every_sentence_has_a_row(void **state)
{
	(void)state;
	judge("sentences");
}

static void options_of_all_commands(void **state)
{
	(void)state;
	judge("options");
}

static void the_man_page_has_the_options_of_help(void **state)
{
	(void)state;
	judge("manual");
}

static void examples_of_the_documents(void **state)
{
	(void)state;
	judge("examples");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_command_lines),
		cmocka_unit_test(every_sentence_has_a_row),
		cmocka_unit_test(options_of_all_commands),
		cmocka_unit_test(the_man_page_has_the_options_of_help),
		cmocka_unit_test(examples_of_the_documents),
	};

	return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
