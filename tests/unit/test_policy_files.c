/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front end and the file system: what symbolic links do to patterns, which files are read, and
 * the limits of includes. Every test has a folder of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
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
#include "policy/load.h"

static char *resolve(const char *path)
{
	return realpath(path, NULL);
}

static const struct policy_context plain_context = { 0 };
static const struct policy_context links_context = { .resolve = resolve };

static struct policy *load_in(const struct policy_context *context, const char *text,
			      struct diag_list *diags)
{
	struct policy *policy = NULL;
	int r = policy_load_text("t.yaml", text, strlen(text), context, &policy, diags);

	assert_int_equal(r == 0, policy != NULL);
	return policy;
}

static void write_file(const char *path, const char *text)
{
	CLEAN_FILE FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status, (void)type, (void)ftw;
	return remove(path);
}

/* Each test gets its own empty working directory. */
static int enter_folder(void **state)
{
	char name[] = "/tmp/picket-test-XXXXXX";

	if (!mkdtemp(name) || chdir(name) < 0)
		return -1;
	/* The real name: /tmp itself may be a link. */
	*state = realpath(name, NULL);
	return *state ? 0 : -1;
}

static int leave_folder(void **state)
{
	int r = chdir("/");

	r |= nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return r;
}

static void assert_also(const char *folder, const char *pattern, const char *also)
{
	CLEAN_FREE char *text = NULL;
	struct diag_list diags = { 0 };
	struct policy *p;

	assert_true(asprintf(&text,
			     "picket: 1\nvars: {d: \"%s\"}\nfiles: {rules: [{deny: '%s'}]}\n",
			     folder, pattern) > 0);
	p = load_in(&links_context, text, &diags);
	assert_non_null(p);
	assert_int_equal(diags.count, 0);
	if (also) {
		const char *found = p->rules[0].patterns[0].also;

		assert_non_null(found);
		/* The folder's own name is in front of the first and maybe of other alternatives. */
		assert_non_null(strstr(found, folder + 1));
		assert_non_null(strstr(found, also));
	} else {
		assert_null(p->rules[0].patterns[0].also);
	}
	policy_free(&p);
	diag_list_reset(&diags);
}

static void test_links_denied(void **state)
{
	const char *folder = *state;

	assert_int_equal(mkdir("real", 0700), 0);
	assert_int_equal(mkdir("real/sub*", 0700), 0);
	assert_int_equal(symlink("real", "link"), 0);
	assert_int_equal(symlink("real/sub*", "star"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	write_file("real/file", "");
	assert_int_equal(symlink("real/file", "filelink"), 0);
	assert_also(folder, "${d}/real/**", NULL);
	assert_also(folder, "${d}/link/**", "/real/**");
	assert_also(folder, "${d}/link", "/real");
	assert_also(folder, "${d}/filelink", "/real/file");
	assert_also(folder, "${d}/link/not/there/x*", "/real/not/there/x*");
	assert_also(folder, "${d}/link/f?le[a-c]\\{", "/real/f?le[a-c]\\{");
	assert_also(folder, "${d}/l*/x", NULL);
	assert_also(folder, "${d}/lin?", NULL);
	assert_also(folder, "${d}/dangling/x", NULL);
	/* A real name with a wildcard in it stays literal. */
	assert_also(folder, "${d}/star/*", "/real/sub\\*/*");
	/* Each alternative is followed, and only those that change are listed. */
	assert_also(folder, "${d}/{link,real}/x", "/real/x");
	assert_also(folder, "${d}/{link/{a,b},star,real}/x", "real/a/x,");
	assert_also(folder, "${d}/{link/{a,b},star,real}/x", "real/b/x,");
	assert_also(folder, "${d}/{link/{a,b},star,real}/x", "real/sub\\*/x}");
}

static void test_links_allowed(void **state)
{
	CLEAN_FREE char *text = NULL;
	struct diag_list diags = { 0 };
	struct policy *p;

	assert_int_equal(mkdir("real", 0700), 0);
	assert_int_equal(symlink("real", "link"), 0);
	assert_true(asprintf(&text,
			     "picket: 1\nfiles: {rules: [{allow: [\"%s/link/*\", \"%s/real/*\"], "
			     "access: read}]}\n",
			     (char *)*state, (char *)*state) > 0);
	p = load_in(&links_context, text, &diags);
	assert_int_equal(diags.count, 1);
	assert_int_equal(diags.items[0].severity, DIAG_WARNING);
	assert_non_null(strstr(diags.items[0].message, "/real/*'"));
	assert_null(p->rules[0].patterns[0].also);
	policy_free(&p);
	diag_list_reset(&diags);
}

/* Load a rule in @section; its own folder is "${d}" in it. @warnings is how many must be given. */
static struct policy *load_rule(const char *folder, const char *section, const char *rule,
				size_t warnings)
{
	CLEAN_FREE char *text = NULL;
	struct diag_list diags = { 0 };
	struct policy *p;

	assert_true(asprintf(&text, "picket: 1\nvars: {d: \"%s\"}\n%s: {rules: [%s]}\n", folder,
			     section, rule) > 0);
	p = load_in(&links_context, text, &diags);
	assert_non_null(p);
	assert_int_equal(diags.count, warnings);
	diag_list_reset(&diags);
	return p;
}

/* A command that is denied is so under the name that a link leads to, whatever its arguments. */
static void test_links_commands(void **state)
{
	struct policy *p;

	assert_int_equal(mkdir("bin", 0700), 0);
	write_file("bin/tool", "");
	assert_int_equal(symlink("bin", "sbin"), 0);
	p = load_rule(*state, "exec", "{deny: ['${d}/sbin/tool x', '${d}/sbin/tool', tool]}", 0);
	assert_non_null(strstr(p->rules[0].patterns[0].also, "/bin/tool"));
	assert_null(p->rules[0].patterns[0].glob);
	assert_non_null(strstr(p->rules[0].patterns[1].also, "/bin/tool"));
	assert_non_null(strstr(p->rules[0].patterns[1].glob, "/sbin/tool"));
	assert_null(p->rules[0].patterns[2].also);
	policy_free(&p);
	p = load_rule(*state, "exec", "{allow: ['${d}/sbin/tool x', '${d}/bin/tool x']}", 1);
	assert_null(p->rules[0].patterns[0].also);
	policy_free(&p);
}

static void test_links_by(void **state)
{
	struct policy *p;

	assert_int_equal(mkdir("bin", 0700), 0);
	assert_int_equal(symlink("bin", "sbin"), 0);
	p = load_rule(*state, "files", "{deny: /a, by: ['${d}/sbin/x', '${d}/bin/y']}", 1);
	assert_int_equal(p->rules[0].by_count, 3);
	assert_non_null(strstr(p->rules[0].by[1], "/bin/x"));
	policy_free(&p);
	p = load_rule(*state, "files", "{allow: /a, access: read, by: '${d}/sbin/x'}", 1);
	assert_int_equal(p->rules[0].by_count, 1);
	policy_free(&p);
}

static int load_path(const char *path, const char *part)
{
	struct diag_list diags = { 0 };
	struct policy *p = NULL;
	int r = policy_load_file(path, &plain_context, &p, &diags);

	assert_int_equal(r == 0, p != NULL);
	if (part) {
		assert_true(diags.count > 0);
		if (!strstr(diags.items[0].message, part))
			fail_msg("'%s' is not in '%s'", part, diags.items[0].message);
	}
	policy_free(&p);
	diag_list_reset(&diags);
	return r;
}

static void test_unreadable(void **state)
{
	(void)state;
	assert_int_equal(load_path("missing.yaml", "'missing.yaml': No such file"), -ENOENT);
	assert_int_equal(load_path(".", "a directory"), -EISDIR);
	assert_int_equal(load_path("/dev/null", "regular file"), -EINVAL);
	assert_int_equal(load_path("/dev/zero", "regular file"), -EINVAL);
	write_file("ok.yaml", "picket: 1\nfiles: {}\n");
	assert_int_equal(load_path("ok.yaml", NULL), 0);
	assert_int_equal(load_path("ok.yaml/x", "Not a directory"), -ENOTDIR);
	assert_int_equal(symlink("ok.yaml", "link.yaml"), 0);
	assert_int_equal(load_path("link.yaml", NULL), 0);
	assert_int_equal(symlink("loop.yaml", "loop.yaml"), 0);
	assert_int_equal(load_path("loop.yaml", "symbolic links"), -ELOOP);
	if (geteuid() != 0) {
		assert_int_equal(chmod("ok.yaml", 0), 0);
		assert_int_equal(load_path("ok.yaml", "Permission denied"), -EACCES);
	}
}

static void test_size(void **state)
{
	int fd = open("big.yaml", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct diag_list diags = { 0 };
	struct policy *p = NULL;
	CLEAN_FREE char *text = NULL;

	(void)state;
	assert_true(fd >= 0);
	/* 100 TB: refused by its size, or this would not end. */
	assert_int_equal(ftruncate(fd, 1LL << 43), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(load_path("big.yaml", "8 MiB"), -EFBIG);
	text = malloc(POLICY_FILE_MAX + 1);
	assert_non_null(text);
	memset(text, ' ', POLICY_FILE_MAX + 1);
	memcpy(text, "picket: 1\n#", 11);
	assert_int_equal(policy_load_text("t", text, POLICY_FILE_MAX + 1, &plain_context, &p,
					  &diags),
			 -EINVAL);
	diag_list_reset(&diags);
	assert_int_equal(policy_load_text("t", text, POLICY_FILE_MAX, &plain_context, &p, &diags),
			 0);
	policy_free(&p);
	diag_list_reset(&diags);
}

static void test_pipe(void **state)
{
	static const char text[] = "picket: 1\nfiles: {}\n";
	char path[32];
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
	assert_int_equal(close(ends[1]), 0);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	assert_int_equal(load_path(path, NULL), 0);
	assert_int_equal(close(ends[0]), 0);
	/* Nobody writes to it: no policy, and no waiting. */
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_equal(load_path("pipe", "no policy"), -EINVAL);
	write_file("main.yaml", "picket: 1\ninclude: pipe\n");
	assert_int_equal(load_path("main.yaml", "regular file"), -EINVAL);
}

static void test_includes(void **state)
{
	struct diag_list diags = { 0 };
	struct policy *p = NULL;

	(void)state;
	assert_int_equal(mkdir("sub", 0700), 0);
	write_file("main.yaml", "picket: 1\nvars: {w: /w}\nexec: {rules: [{deny: /first}]}\n"
				"include: [sub/a.yaml, sub/b.yaml]\n"
				"files: {default: allow, rules: [{deny: /last}]}\n");
	write_file("sub/a.yaml", "picket: 1\nvars: {x: \"${w}/a\"}\ninclude: b.yaml\n"
				 "files: {rules: [{deny: \"${x}\"}]}\n"
				 "tests: [{open: \"${x}\", expect: deny}]\n");
	write_file("sub/b.yaml", "vars: {y: \"${w}/b\"}\nfiles: {rules: [{deny: \"${y}\"}]}\n");
	assert_int_equal(policy_load_file("main.yaml", &plain_context, &p, &diags), 0);
	assert_int_equal(diags.count, 0);
	assert_int_equal(p->file_count, 3);
	assert_int_equal(p->rule_count, 4);
	assert_string_equal(p->rules[0].patterns[0].glob, "/first");
	assert_string_equal(p->rules[1].patterns[0].glob, "/w/b");
	assert_string_equal(p->rules[1].patterns[0].pos.file, "sub/b.yaml");
	assert_string_equal(p->rules[2].patterns[0].glob, "/w/a");
	assert_string_equal(p->rules[3].patterns[0].glob, "/last");
	assert_int_equal(p->test_count, 1);
	assert_int_equal(p->sections[PK_SECTION_FILES].default_verdict, PK_VERDICT_ALLOW);
	policy_free(&p);
	diag_list_reset(&diags);
}

static void test_include_limits(void **state)
{
	CLEAN_FILE FILE *list = fopen("many.yaml", "we");
	char name[32], text[64];

	(void)state;
	for (int i = 0; i < POLICY_INCLUDE_DEPTH + 2; i++) {
		(void)snprintf(name, sizeof(name), "deep-%d.yaml", i);
		(void)snprintf(text, sizeof(text), "picket: 1\ninclude: deep-%d.yaml\n", i + 1);
		write_file(name, text);
	}
	write_file("deep-18.yaml", "picket: 1\n");
	assert_int_equal(load_path("deep-2.yaml", NULL), 0);
	assert_int_equal(load_path("deep-1.yaml", "more than 16 deep"), -EINVAL);
	assert_non_null(list);
	(void)fputs("picket: 1\ninclude:\n", list);
	for (int i = 0; i < POLICY_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "many-%d.yaml", i);
		write_file(name, "picket: 1\n");
		(void)fprintf(list, "  - %s\n", name);
		if (i == POLICY_FILES_MAX - 2) {
			assert_int_equal(fflush(list), 0);
			assert_int_equal(load_path("many.yaml", NULL), 0);
		}
	}
	assert_int_equal(fflush(list), 0);
	assert_int_equal(load_path("many.yaml", "more than 256 files"), -EINVAL);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_links_denied),	IN_FOLDER(test_links_allowed),
		IN_FOLDER(test_links_commands), IN_FOLDER(test_links_by),
		IN_FOLDER(test_unreadable),	IN_FOLDER(test_size),
		IN_FOLDER(test_pipe),		IN_FOLDER(test_includes),
		IN_FOLDER(test_include_limits),
	};

	return cmocka_run_group_tests_name("policy files", tests, NULL, NULL);
}
