/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket init`: for every combination of kinds of projects a policy that passes its own tests and
 * `picket check --strict`, is in the form, and has nothing of others; which hosts of git remotes are
 * taken; and that nothing is replaced.
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

#include "author/fmt.h"
#include "author/init.h"
#include "base/mem.h"
#include "commands.h"

/** Where the tests run, and where they began. */
struct place {
	char folder[40];
	char home[4096];
};

static struct place *place(void)
{
	static struct place place = { "/tmp/picket-init-XXXXXX", "" };

	return &place;
}

static const char *const signs[INIT_KIND__MAX] = {
	[INIT_GIT] = ".git",	     [INIT_NPM] = "package.json", [INIT_PYTHON] = "pyproject.toml",
	[INIT_CARGO] = "Cargo.toml", [INIT_MAKE] = "Makefile",
};

/* Make the folder a project of the kinds in @mask. */
static void make_project(unsigned int mask)
{
	for (unsigned int i = 0; i < INIT_KIND__MAX; i++) {
		(void)unlink(signs[i]);
		if (mask >> i & 1 && i != INIT_GIT)
			write_file(signs[i], "");
	}
	(void)unlink(".git/config");
	(void)rmdir(".git");
	if (mask & 1)
		assert_int_equal(mkdir(".git", 0755), 0);
	(void)unlink("picket.yaml");
}

static void assert_form(const char *text)
{
	CLEAN(source_reset)
	struct source source = { .name = "picket.yaml", .text = text, .length = strlen(text) };
	struct diag_list diags = { 0 };
	CLEAN_FREE char *formatted = NULL;

	assert_int_equal(fmt_source(&source, &formatted, &diags), 0);
	assert_string_equal(formatted, text);
	diag_list_reset(&diags);
}

static void assert_good(unsigned int mask)
{
	const bool packages = mask & (1 << INIT_NPM | 1 << INIT_PYTHON | 1 << INIT_CARGO);
	/* What this machine is configured for may be worth a warning. */
	const char *const strict[] = { "check", "--no-managed", "--strict", "picket.yaml", NULL };
	const char *const check[] = { "check", "--no-managed", "picket.yaml", NULL };
	const char *const init[] = { "init", NULL };
	CLEAN(outcome_reset) struct outcome made = run(NULL, init, NULL);
	CLEAN(outcome_reset) struct outcome checked = { 0 };
	CLEAN_FREE char *text = read_file("picket.yaml");

	assert_string_equal(made.err, "");
	assert_int_equal(made.code, 0);
	checked = run(NULL, packages ? check : strict, NULL);
	if (checked.code)
		fail_msg("kinds %x: %s%s", mask, checked.err, text);
	assert_form(text);
	assert_int_equal(strstr(text, "\n    - {allow: \"@registries\"") != NULL, packages);
	assert_int_equal(strstr(text, "cargo publish") != NULL, mask >> INIT_CARGO & 1);
	assert_int_equal(strstr(text, "presets/node") != NULL, mask >> INIT_NPM & 1);
	assert_int_equal(strstr(text, "git push") != NULL, mask >> INIT_GIT & 1);
}

static void test_kinds(void **state)
{
	(void)state;
	for (unsigned int mask = 0; mask < 1U << INIT_KIND__MAX; mask++) {
		make_project(mask);
		assert_good(mask);
	}
}

static void test_remotes(void **state)
{
	static const char *const rows[][2] = {
		{ "git@git.example.com:a/b.git", "git.example.com" },
		{ "ssh://git@git.example.com:2222/a", "git.example.com" },
		{ "https://user:word@git.example.com/a", "git.example.com" },
		{ "https://git.example.com/a@b", "git.example.com" },
		{ "\"https://git.example.com/a\"", "git.example.com" },
		{ "git.example.com:a", "git.example.com" },
		{ "/srv/git/a.b", "" },
		{ "../x.y/z", "" },
		{ "file:///srv/x.y", "" },
		{ "https://192.0.2.1/a", "" },
		{ "https://localhost/a", "" },
		{ "https://[2001:db8::1]/a", "" },
		{ "https://ev\"il.example.com/", "" },
		{ "https://*.example.com/", "" },
		{ "https://a..example.com/", "" },
		{ "https://.example.com/", "" },
		{ "https://-x.example.com/", "" },
		{ "x.example.com", "" },
		{ "", "" },
	};

	(void)state;
	make_project(1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEAN_FREE char *config = NULL;
		struct init_project project;

		assert_true(asprintf(&config, "[core]\n[remote \"origin\"]\n\turl = %s\n",
				     rows[i][0]) > 0);
		write_file(".git/config", config);
		assert_int_equal(init_look(".", &project), 0);
		if (strcmp(project.forge, rows[i][1]) != 0)
			fail_msg("%s: '%s'", rows[i][0], project.forge);
	}
	write_file(".git/config", "[remote \"x\"]\n\turl=git@git.example.com:a\n");
	(void)unlink("picket.yaml");
	assert_good(1);
}

static void test_refused(void **state)
{
	static const struct {
		const char *args[4];
		int code;
		const char *err;
	} rows[] = {
		{ { "init" }, 1, "'./picket.yaml' is there already, and stays as it is" },
		{ { "init", "/nowhere/at/all" },
		  1,
		  "cannot look at '/nowhere/at/all': No such file" },
		{ { "init", "picket.yaml" }, 1, "cannot look at 'picket.yaml': Not a directory" },
		{ { "init", ".", ".." }, 2, "it takes one folder, not 2" },
		{ { "init", "--force" }, 2, "unrecognized option '--force'" },
	};

	(void)state;
	write_file("picket.yaml", "mine\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, rows[i].args, NULL);
		CLEAN_FREE char *text = read_file("picket.yaml");

		assert_int_equal(outcome.code, rows[i].code);
		assert_string_equal(outcome.out, "");
		if (!strstr(outcome.err, rows[i].err))
			fail_msg("%s", outcome.err);
		assert_string_equal(text, "mine\n");
	}
	/* Nor is what a link leads to. */
	assert_int_equal(unlink("picket.yaml"), 0);
	assert_int_equal(symlink("elsewhere", "picket.yaml"), 0);
	{
		const char *const init[] = { "init", NULL };
		CLEAN(outcome_reset) struct outcome outcome = run(NULL, init, NULL);

		assert_int_equal(outcome.code, 1);
		assert_int_not_equal(access("elsewhere", F_OK), 0);
	}
}

static int enter_folder(void **state)
{
	(void)state;
	if (!getcwd(place()->home, sizeof(place()->home)) || !mkdtemp(place()->folder))
		return -1;
	return chdir(place()->folder);
}

static int leave_folder(void **state)
{
	(void)state;
	make_project(0);
	(void)unlink("stdout.txt");
	(void)unlink("stderr.txt");
	return chdir(place()->home) || rmdir(place()->folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_remotes),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("init", tests, enter_folder, leave_folder);
}
