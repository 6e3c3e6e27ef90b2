/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every message of the policy language has an expectation with its position: a golden case
 * (tests/cases), or one here when it takes more files or bytes than a case has, or comes while the
 * policy is compiled. messages_judge.py sees to it that none is forgotten.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "commands.h"
#include "policy/compile.h"
#include "policy/front.h"
#include "policy/load.h"
#include "policy/policy_tests.h"

/** Where the tests run, and where they began. */
struct place {
	char folder[40];
	char home[4096];
};

static struct place *place(void)
{
	static struct place place = { "/tmp/picket-messages-XXXXXX", "" };

	return &place;
}

static const struct policy_variable builtins[] = {
	{ "HOME", "/home/u" },
	{ "USER", "u" },
	{ "CWD", "/srv//x" },
};

/* Paths of /link lead elsewhere. */
static char *resolve(const char *path)
{
	char *result = NULL;

	if (strncmp(path, "/link", 5) != 0)
		return strdup(path);
	return asprintf(&result, "/real%s", path + 5) < 0 ? NULL : result;
}

static const struct policy_context context = { .builtins = builtins,
					       .builtin_count = 3,
					       .resolve = resolve };

/* What is found about the policy in the file @path or the text @text, its tests included; malloc'ed. */
static char *findings(const char *path, const char *text)
{
	const struct compile_options options = { 0 };
	CLEAN(policy_free) struct policy *policy = NULL;
	CLEAN(image_reset) struct policy_image image = { 0 };
	struct diag_list diags = { 0 };
	const struct policy *layers[1];
	char *printed = NULL;
	size_t size = 0, passed = 0;
	FILE *to = open_memstream(&printed, &size);
	int r = path ? policy_load_file(path, &context, &policy, &diags) :
		       policy_load_text("p.yaml", text, strlen(text), &context, &policy, &diags);

	assert_non_null(to);
	layers[0] = policy;
	if (r == 0)
		r = policy_compile(layers, 1, &options, &image, &diags);
	if (r == 0)
		(void)policy_tests_run(policy, &image, &passed, &diags);
	diag_print(&diags, to);
	assert_int_equal(fclose(to), 0);
	diag_list_reset(&diags);
	return printed;
}

static void assert_found(const char *path, const char *text, const char *expected)
{
	CLEAN_FREE char *printed = findings(path, text);

	if (!strstr(printed, expected))
		fail_msg("not '%s' but:\n%.2000s", expected, printed);
}

static void test_texts(void **state)
{
	static const char *const rows[][2] = {
		{ "picket: 1\nfiles:\n  rules:\n    - {deny: \"${CWD}/x\"}\n",
		  "p.yaml:4:15: error: the value '/srv//x' of the variable 'CWD' has '//' in it" },
		{ "picket: 1\nfiles:\n  rules:\n    - {deny: /a}\n    - {deny: [/b, /a]}\n",
		  "p.yaml:5:19: error: '/a' can never decide anything: it repeats '/a' at line 4, "
		  "column 14" },
		{ "picket: 1\ninclude: x.yaml\n",
		  "p.yaml:2:10: error: no file can be included here" },
		{ "picket: 1\nexec: {default: allow}\ntests:\n  - {exec: /bin/a, expect: deny}\n",
		  "p.yaml:4:5: error: this test fails: exec '/bin/a' must give deny, and gives allow" },
		{ "picket: 1\nexec: {default: allow}\napprovals: {timeout: 1m}\n",
		  "p.yaml:3:12: warning: nothing in this policy asks, so that 'approvals' has no "
		  "effect" },
		{ "picket: 1\nfiles:\n  rules:\n    - {allow: /link/a, access: read}\n",
		  "p.yaml:4:15: warning: this path leads through a symbolic link: the kernel sees "
		  "'/real/a'" },
		{ "picket: 1\negress:\n  rules:\n    - {allow: \"@registries\"}\n",
		  "p.yaml:4:15: warning: '@registries' stands for nothing: no configuration names a "
		  "registry" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_found(NULL, rows[i][0], rows[i][1]);
}

/* As many lists of programs as there can be, and one more. */
static void test_programs(void **state)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	(void)fputs("picket: 1\nfiles:\n  default: allow\nexec:\n  rules:\n", to);
	for (unsigned int i = 0; i <= 31; i++)
		(void)fprintf(to, "    - {allow: /a%u, by: /b%u}\n", i, i);
	assert_int_equal(fclose(to), 0);
	assert_found(
		NULL, text,
		"p.yaml:37:7: error: 'by' names yet another set of programs, 31 different ones "
		"are the most");
}

/* More ports of one address than a set of rules holds; the first ones are named. */
static void test_overlap(void **state)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	(void)fputs("picket: 1\negress:\n  rules:\n", to);
	for (unsigned int i = 0; i < 200; i++)
		(void)fprintf(to, "    - {allow: \"192.0.2.1:%u\"}\n", 1000 + 2 * i);
	assert_int_equal(fclose(to), 0);
	assert_found(NULL, text,
		     "p.yaml:4:15: error: 200 rules and port ranges decide about one and the same "
		     "address, at most 128 may");
	assert_found(NULL, text, "p.yaml:5:15: error: '192.0.2.1:1002' is one of them");
}

/* Alternatives that lead elsewhere are added to a rule that denies, as many as a pattern may have. */
static void test_links(void **state)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	(void)fputs("picket: 1\nfiles:\n  rules:\n    - {deny: \"/link/{", to);
	for (unsigned int i = 0; i < 600; i++)
		(void)fprintf(to, "%sd%u", i ? "," : "", i);
	(void)fputs("}/x\"}\n", to);
	assert_int_equal(fclose(to), 0);
	assert_found(
		NULL, text,
		"p.yaml:4:14: error: too many of its alternatives lead through symbolic links");
}

static void test_million(void **state)
{
	static const char head[] = "picket: 1\ntests:\n";
	const size_t count = 1000000;
	CLEAN_FREE char *text = malloc(sizeof(head) + count * 4);
	char *at = text;

	(void)state;
	assert_non_null(text);
	at = stpcpy(at, head);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, "- a\n");
	/* Five values come before: the map, two keys, the version, the list. */
	assert_found(NULL, text, "p.yaml:999998:3: error: the file has more than a million values");
}

static void write_numbered(const char *name, unsigned int number, const char *text)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "%s%u.yaml", name, number);
	write_file(path, text);
}

static void remove_numbered(const char *name, unsigned int count)
{
	char path[32];

	for (unsigned int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s%u.yaml", name, i);
		assert_int_equal(unlink(path), 0);
	}
}

static void test_deep(void **state)
{
	char text[64];

	(void)state;
	for (unsigned int i = 0; i <= POLICY_INCLUDE_DEPTH + 1; i++) {
		(void)snprintf(text, sizeof(text), "picket: 1\ninclude: d%u.yaml\n", i + 1);
		write_numbered("d", i, text);
	}
	assert_found("d0.yaml", "", "d16.yaml:2:10: error: includes are nested more than 16 deep");
	remove_numbered("d", POLICY_INCLUDE_DEPTH + 2);
}

static void test_many(void **state)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	(void)fputs("picket: 1\ninclude:\n", to);
	for (unsigned int i = 0; i < POLICY_FILES_MAX; i++) {
		(void)fprintf(to, "  - m%u.yaml\n", i);
		write_numbered("m", i, "picket: 1\n");
	}
	assert_int_equal(fclose(to), 0);
	write_file("p.yaml", text);
	assert_found("p.yaml", "", "p.yaml:258:5: error: more than 256 files");
	remove_numbered("m", POLICY_FILES_MAX);
	assert_int_equal(unlink("p.yaml"), 0);
}

static void test_large(void **state)
{
	const size_t length = POLICY_FILE_MAX - 16;
	CLEAN_FREE char *text = malloc(length + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', length);
	memcpy(text, "picket: 1\n", 10);
	text[length] = '\0';
	for (unsigned int i = 0; i < 5; i++)
		write_numbered("l", i, text);
	write_file("p.yaml", "picket: 1\ninclude: [l0.yaml, l1.yaml, l2.yaml, l3.yaml, l4.yaml]\n");
	assert_found("p.yaml", "",
		     "p.yaml:2:47: error: with this file the policy has more than 32 MiB");
	remove_numbered("l", 5);
	assert_int_equal(unlink("p.yaml"), 0);
}

static void test_all(void **state)
{
	CLEAN_FREE char *command = NULL;

	(void)state;
	assert_true(asprintf(&command, "cd '%s' && python3 tests/unit/messages_judge.py >/dev/null",
			     place()->home) > 0);
	if (system(command) != 0) /* NOLINT(cert-env33-c): words of our own */
		fail_msg("a message without an expectation, see above");
}

static int enter_folder(void **state)
{
	(void)state;
	return !getcwd(place()->home, sizeof(place()->home)) || !mkdtemp(place()->folder) ||
	       chdir(place()->folder);
}

static int leave_folder(void **state)
{
	(void)state;
	return chdir(place()->home) || rmdir(place()->folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),	 cmocka_unit_test(test_texts),
		cmocka_unit_test(test_programs), cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_links),	 cmocka_unit_test(test_million),
		cmocka_unit_test(test_deep),	 cmocka_unit_test(test_many),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("messages", tests, enter_folder, leave_folder);
}
