/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of answers: it grows by whole lines, is nobody else's file, and follows its name; and what a
 * program that is asked may answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "daemon/asks.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct scene {
	char folder[48];
	char file[80];
	struct audit audit;
};

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	if (!scene)
		return -1;
	strcpy(scene->folder, "/tmp/picket-audit-XXXXXX");
	if (!mkdtemp(scene->folder))
		return -1;
	(void)snprintf(scene->file, sizeof(scene->file), "%s/%s", scene->folder, AUDIT_FILE);
	scene->audit = (struct audit){ .folder = scene->folder, .fd = -1 };
	*state = scene;
	return 0;
}

static int close_scene(void **state)
{
	struct scene *scene = *state;

	audit_close(&scene->audit);
	(void)unlink(scene->file);
	(void)rmdir(scene->folder);
	free(scene);
	return 0;
}

static int write_one(struct scene *scene, const char *what)
{
	json_t *details = json_pack("{s:{s:i}}", "grant", "grant", 12);
	int r = audit_write(&scene->audit, what, details);

	json_decref(details);
	return r;
}

static size_t count_lines(const char *path)
{
	CLEAN_FILE FILE *file = fopen(path, "re");
	CLEAN_FREE char *line = NULL;
	size_t size = 0;
	size_t count = 0;

	while (file && getline(&line, &size, file) > 0) {
		json_t *one = json_loads(line, 0, NULL);

		assert_string_equal(json_string_value(json_object_get(one, "schema")),
				    AUDIT_SCHEMA);
		assert_non_null(json_object_get(one, "time"));
		assert_non_null(json_object_get(one, "grant"));
		json_decref(one);
		count++;
	}
	return count;
}

static void it_grows_by_lines(void **state)
{
	struct scene *scene = *state;
	struct stat st;

	assert_int_equal(audit_open(&scene->audit), 0);
	assert_int_equal(write_one(scene, "approved"), 0);
	assert_int_equal(write_one(scene, "revoked"), 0);
	audit_close(&scene->audit);
	assert_int_equal(write_one(scene, "approved"), 0);
	assert_int_equal(count_lines(scene->file), 3);
	assert_int_equal(stat(scene->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_rotated_file_is_left(void **state)
{
	struct scene *scene = *state;
	char moved[96];

	(void)snprintf(moved, sizeof(moved), "%s.1", scene->file);
	assert_int_equal(write_one(scene, "approved"), 0);
	assert_int_equal(rename(scene->file, moved), 0);
	assert_int_equal(write_one(scene, "approved"), 0);
	assert_int_equal(count_lines(moved), 1);
	assert_int_equal(count_lines(scene->file), 1);
	assert_int_equal(unlink(moved), 0);
}

static void others_files_are_refused(void **state)
{
	struct scene *scene = *state;
	char other[96];

	(void)snprintf(other, sizeof(other), "%s.other", scene->file);
	assert_int_equal(symlink("/etc/passwd", scene->file), 0);
	assert_int_equal(write_one(scene, "approved"), -ELOOP);
	assert_int_equal(unlink(scene->file), 0);
	assert_int_equal(mkfifo(scene->file, 0600), 0);
	assert_int_equal(write_one(scene, "approved"), -EPERM);
	assert_int_equal(unlink(scene->file), 0);
	assert_int_equal(write_one(scene, "approved"), 0);
	assert_int_equal(link(scene->file, other), 0);
	audit_close(&scene->audit);
	assert_int_equal(write_one(scene, "approved"), -EPERM);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(chmod(scene->file, 0640), 0);
	assert_int_equal(write_one(scene, "approved"), -EPERM);
	assert_int_equal(chmod(scene->file, 0600), 0);
	assert_int_equal(chmod(scene->folder, 0722), 0);
	assert_int_equal(write_one(scene, "approved"), -EPERM);
	assert_int_equal(chmod(scene->folder, 0700), 0);
	assert_int_equal(write_one(scene, "approved"), 0);
}

/* The largest file allowed is a disk that is full in the middle of a line. */
static void half_a_line_is_cut_off(void **state)
{
	struct scene *scene = *state;
	struct rlimit before;
	struct rlimit small;
	struct stat st;

	assert_int_equal(write_one(scene, "approved"), 0);
	assert_int_equal(stat(scene->file, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = (rlim_t)st.st_size + 10;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(write_one(scene, "approved") < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(count_lines(scene->file), 1);
	assert_int_equal(write_one(scene, "approved"), 0);
	assert_int_equal(count_lines(scene->file), 2);
}

static int refuse_protection(void *context, char *path)
{
	(void)path;
	++*(int *)context;
	return -ENOSPC;
}

static void what_cannot_be_protected_is_not_written(void **state)
{
	struct scene *scene = *state;
	int calls = 0;

	scene->audit.protect = refuse_protection;
	scene->audit.context = &calls;
	assert_int_equal(write_one(scene, "approved"), -ENOSPC);
	assert_int_equal(calls, 1);
	scene->audit.protect = NULL;
	assert_int_equal(write_one(scene, "approved"), 0);
	assert_int_equal(count_lines(scene->file), 1);
}

/* --- Answers of programs -------------------------------------------------------------------------- */

static const struct {
	const char *text;
	int verdict; /* -1: refused */
	int mode;
	unsigned int seconds;
} said[] = {
	{ "{\"verdict\":\"approve\"}\n", ASK_HOOK_APPROVES, ASK_ONCE, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"once\"}", ASK_HOOK_APPROVES, ASK_ONCE, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"for\",\"seconds\":60}", ASK_HOOK_APPROVES, ASK_FOR,
	  60 },
	{ "{\"verdict\":\"approve\",\"mode\":\"agent\",\"reason\":\"r\"}", ASK_HOOK_APPROVES,
	  ASK_AGENT, 0 },
	{ "{\"verdict\":\"refuse\"}", ASK_HOOK_REFUSES, ASK_ONCE, 0 },
	{ "{\"verdict\":\"none\"}", ASK_HOOK_SAYS_NONE, ASK_ONCE, 0 },
	{ "", -1, 0, 0 },
	{ "yes", -1, 0, 0 },
	{ "[]", -1, 0, 0 },
	{ "{}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\"", -1, 0, 0 },
	{ "{\"verdict\":\"approve\"} x", -1, 0, 0 },
	{ "{\"verdict\":\"Approve\"}", -1, 0, 0 },
	{ "{\"verdict\":true}", -1, 0, 0 },
	{ "{\"verdict\":\"refuse\",\"verdict\":\"approve\"}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"always\"}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"forever\"}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"for\"}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"for\",\"seconds\":0}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"for\",\"seconds\":4294967297}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"mode\":\"agent\",\"seconds\":5}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"more\":1}", -1, 0, 0 },
	{ "{\"verdict\":\"approve\",\"reason\":\"\\u001b[2J\"}", -1, 0, 0 },
};

static void programs_answer_by_one_object(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(said); i++) {
		struct ask_hook_answer answer = { 0 };
		const char *why = NULL;
		int r = ask_hook_parse(said[i].text, strlen(said[i].text), &answer, &why);

		if ((r == 0) != (said[i].verdict >= 0))
			fail_msg("%s: %d", said[i].text, r);
		if (r == 0) {
			assert_int_equal(answer.verdict, said[i].verdict);
			assert_int_equal(answer.mode, said[i].mode);
			assert_int_equal(answer.seconds, said[i].seconds);
		} else {
			assert_non_null(why);
		}
		free(answer.reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_grows_by_lines, open_scene, close_scene),
		cmocka_unit_test_setup_teardown(a_rotated_file_is_left, open_scene, close_scene),
		cmocka_unit_test_setup_teardown(others_files_are_refused, open_scene, close_scene),
		cmocka_unit_test_setup_teardown(half_a_line_is_cut_off, open_scene, close_scene),
		cmocka_unit_test_setup_teardown(what_cannot_be_protected_is_not_written, open_scene,
						close_scene),
		cmocka_unit_test(programs_answer_by_one_object),
	};

	return cmocka_run_group_tests_name("ask_audit", tests, NULL, NULL);
}
