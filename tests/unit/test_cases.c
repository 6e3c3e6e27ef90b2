/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Golden cases: every policy below tests/cases is loaded, and what is printed about it is compared
 * with NAME.expect beside it. In `good` the policy must load (no .expect: without a finding), in
 * `bad` it must not. A comment line "# set: NAME=VALUE" gives an override.
 *
 * UPDATE_CASES=1 writes the .expect files instead of comparing: read them before you keep them.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/load.h"

#define OVERRIDES_MAX 8

static const struct policy_variable builtins[] = {
	{ "HOME", "/home/u" },
	{ "USER", "u" },
	{ "CWD", "/work" },
};

static char *read_text(const char *path)
{
	CLEAN_FILE FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &size, EOF, file) < 0) {
		free(text);
		return strdup("");
	}
	return text;
}

/* The overrides that comment lines of @text give; they point into it. */
static size_t read_overrides(char *text, struct policy_variable *overrides)
{
	size_t count = 0;
	char *at = text;

	while (count < OVERRIDES_MAX && (at = strstr(at, "# set: ")) != NULL) {
		char *name = at + strlen("# set: ");
		char *value = strchr(name, '=');

		assert_non_null(value);
		at = value + strcspn(value, "\n");
		*at++ = '\0';
		*value++ = '\0';
		overrides[count++] = (struct policy_variable){ name, value };
	}
	return count;
}

/* Load @path; what is printed about it (malloc'ed), the result in *@ret_result. */
static char *load_and_print(const char *path, int *ret_result)
{
	CLEAN_FREE char *comments = read_text(path);
	struct policy_variable overrides[OVERRIDES_MAX];
	struct policy_context context = { .builtins = builtins, .builtin_count = 3 };
	struct diag_list diags = { 0 };
	CLEAN(policy_free) struct policy *policy = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_non_null(comments);
	context.override_count = read_overrides(comments, overrides);
	context.overrides = overrides;
	*ret_result = policy_load_file(path, &context, &policy, &diags);
	assert_int_equal(*ret_result == 0, policy != NULL);
	assert_int_equal(*ret_result != 0, diag_has_errors(&diags));
	diag_print(&diags, to);
	assert_int_equal(fclose(to), 0);
	diag_list_reset(&diags);
	return text;
}

static bool compare(const char *path, const char *printed)
{
	CLEAN_FREE char *expect_path = NULL;
	CLEAN_FREE char *expected = NULL;

	assert_true(asprintf(&expect_path, "%.*s.expect", (int)(strlen(path) - 5), path) > 0);
	if (getenv("UPDATE_CASES")) {
		CLEAN_FILE FILE *file = *printed ? fopen(expect_path, "we") : NULL;

		if (*printed)
			assert_true(file && fputs(printed, file) >= 0);
		else
			(void)unlink(expect_path);
		return true;
	}
	expected = read_text(expect_path);
	if (strcmp(printed, expected ? expected : "") == 0)
		return true;
	print_error("%s: expected:\n%s%s: printed:\n%s", path, expected ? expected : "", path,
		    printed);
	return false;
}

static int is_policy(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

/* Run all cases of @folder. Returns how many there were; differences are counted as failures. */
static size_t run_folder(const char *folder, bool good)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_policy, alphasort);
	size_t failures = 0;

	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		CLEAN_FREE char *path = NULL;
		CLEAN_FREE char *printed = NULL;
		int r;

		assert_true(asprintf(&path, "%s/%s", folder, entries[i]->d_name) > 0);
		printed = load_and_print(path, &r);
		if ((r == 0) != good) {
			print_error("%s: result %d\n%s", path, r, printed);
			failures++;
		} else if (!compare(path, printed)) {
			failures++;
		}
		free(entries[i]);
	}
	free(entries);
	assert_int_equal(failures, 0);
	return (size_t)count;
}

static void test_bad(void **state)
{
	(void)state;
	assert_true(run_folder("bad", false) >= 60);
}

static void test_good(void **state)
{
	(void)state;
	assert_true(run_folder("good", true) >= 5);
}

static int enter_cases(void **state)
{
	const char *folder = getenv("PICKET_CASES");

	(void)state;
	return chdir(folder ? folder : "tests/cases");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_good),
	};

	return cmocka_run_group_tests_name("cases", tests, enter_cases, NULL);
}
