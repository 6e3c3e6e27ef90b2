/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket fmt` and `picket schema` as commands: what is printed, told and written, and what is left as it
 * was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "commands.h"

#define UGLY "picket:   1\nexec:\n    default:   allow # why\n"
#define FORM "picket: 1\nexec:\n  default: allow  # why\n"
#define NO_PLACE "picket: 1\nname:\n  # no place\n  x\n"

/** Where the tests run, and where they began. */
struct place {
	char folder[40];
	char home[4096];
};

static struct place *place(void)
{
	static struct place place = { "/tmp/picket-fmt-XXXXXX", "" };

	return &place;
}

static void test_calls(void **state)
{
	static const struct {
		const char *args[5];
		int code;
		const char *out; /* all of it */
		const char *err; /* a part, or "" for nothing */
	} rows[] = {
		{ { "fmt", "ugly.yaml" }, 0, FORM, "" },
		{ { "fmt", "form.yaml", "ugly.yaml" }, 0, FORM FORM, "" },
		{ { "fmt", "--check", "form.yaml" }, 0, "", "" },
		{ { "fmt", "--check", "form.yaml", "ugly.yaml" }, 1, "ugly.yaml\n", "" },
		{ { "fmt", "bad.yaml" }, 1, "", "bad.yaml:3:3: error: a comment between a key" },
		{ { "fmt", "--check", "bad.yaml" }, 1, "", "bad.yaml:3:3: error: " },
		{ { "fmt", "-w", "bad.yaml" }, 1, "", "bad.yaml:3:3: error: " },
		{ { "fmt", "gone.yaml" }, 1, "", "cannot read 'gone.yaml': " },
		{ { "fmt", "." }, 1, "", "cannot read '.': " },
		{ { "fmt" }, 2, "", "no file given" },
		{ { "fmt", "-w", "-" }, 2, "", "standard input cannot be written anew" },
		{ { "fmt", "-w", "--check", "form.yaml" }, 2, "", "exclude each other" },
		{ { "fmt", "--columns", "9" }, 2, "", "unrecognized option '--columns'" },
		{ { "schema", "events", "x" }, 2, "", "'x' is too much" },
	};

	(void)state;
	write_file("ugly.yaml", UGLY);
	write_file("form.yaml", FORM);
	write_file("bad.yaml", NO_PLACE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, rows[i].args, NULL);

		assert_string_equal(outcome.out, rows[i].out);
		assert_int_equal(outcome.code, rows[i].code);
		if (!strstr(outcome.err, rows[i].err) || (!*rows[i].err && *outcome.err))
			fail_msg("not '%s' but:\n%s", rows[i].err, outcome.err);
	}
}

static void assert_file(const char *path, const char *expected)
{
	CLEAN_FREE char *text = read_file(path);

	assert_string_equal(text, expected);
}

/* A file is written anew with its mode, through a link, and only when it differs. */
static void test_write(void **state)
{
	const char *const args[] = { "fmt", "-w", "link.yaml", "form.yaml", "bad.yaml", NULL };
	CLEAN(outcome_reset) struct outcome outcome = { 0 };
	struct stat before, after;

	(void)state;
	write_file("ugly.yaml", UGLY);
	write_file("form.yaml", FORM);
	write_file("bad.yaml", NO_PLACE);
	assert_int_equal(chmod("ugly.yaml", 0640), 0);
	assert_int_equal(symlink("ugly.yaml", "link.yaml"), 0);
	assert_int_equal(stat("form.yaml", &before), 0);
	outcome = run(NULL, args, NULL);
	assert_int_equal(outcome.code, 1);
	assert_file("ugly.yaml", FORM);
	assert_file("form.yaml", FORM);
	assert_file("bad.yaml", NO_PLACE);
	assert_int_equal(stat("form.yaml", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(stat("ugly.yaml", &after), 0);
	assert_int_equal(after.st_mode & 07777, 0640);
	assert_int_equal(lstat("link.yaml", &after), 0);
	assert_true(S_ISLNK(after.st_mode));
	assert_int_equal(unlink("link.yaml"), 0);
}

static void test_schema(void **state)
{
	const char *const args[] = { "schema", NULL };
	CLEAN(outcome_reset) struct outcome outcome = run(NULL, args, NULL);

	(void)state;
	assert_int_equal(outcome.code, 0);
	assert_string_equal(outcome.err, "");
	assert_non_null(strstr(outcome.out, "\"https://json-schema.org/draft/2020-12/schema\""));
}

static int enter_folder(void **state)
{
	(void)state;
	return !getcwd(place()->home, sizeof(place()->home)) || !mkdtemp(place()->folder) ||
	       chdir(place()->folder);
}

static int leave_folder(void **state)
{
	static const char *const names[] = { "ugly.yaml", "form.yaml", "bad.yaml", "stdout.txt",
					     "stderr.txt" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(names[i]);
	return chdir(place()->home) || rmdir(place()->folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests_name("fmt command", tests, enter_folder, leave_folder);
}
