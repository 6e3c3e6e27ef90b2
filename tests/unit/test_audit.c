/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit trail as it is written: what holds when a disk is full, the power fails, files are moved away or
 * are somebody else's, keys change; and anchors in the forms of sinks.
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

#include "audit_scene.h"
#include "base/mem.h"

#define FIRST "trail-000001.jsonl"
#define SECOND "trail-000002.jsonl"

static int open_scene(void **state)
{
	struct audit_scene *scene = calloc(1, sizeof(*scene));

	if (!scene || scene_open(scene))
		return -1;
	*state = scene;
	return 0;
}

static int close_scene(void **state)
{
	scene_close(*state);
	free(*state);
	return 0;
}

static bool is_there(const struct audit_scene *scene, const char *name)
{
	char path[96];

	scene_path(scene, name, path);
	return access(path, F_OK) == 0;
}

/* The daemon is another one: of the last only the files are left. */
static void start_again(struct audit_scene *scene)
{
	scene->trail.known = false;
	assert_int_equal(trail_open(&scene->trail), 0);
}

static void assert_told(const struct audit_scene *scene, const char *file, size_t line,
			const char *what)
{
	const struct scene_fault *fault = &scene->faults[0];

	assert_true(scene->fault_count > 0);
	if (strcmp(fault->file, file) != 0 || fault->line != line || !strstr(fault->what, what))
		fail_msg("%s:%zu: %s", fault->file, fault->line, fault->what);
}

static void it_grows_and_is_verified(void **state)
{
	struct audit_scene *scene = *state;
	struct stat st;
	char path[96];

	assert_int_equal(scene_verify(scene, false), -ENOENT);
	assert_int_equal(trail_open(&scene->trail), 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(scene_write(scene, "approved", i, TRAIL_NOW), 0);
	assert_int_equal(trail_checkpoint(&scene->trail, true), 0);
	start_again(scene);
	assert_true(scene->trail.stopped);
	assert_int_equal(scene_write(scene, "approved", 9, TRAIL_NOW), 0);
	assert_int_equal(scene_verify(scene, true), 0);
	assert_int_equal(scene->summary.records, 8);
	assert_int_equal(scene->summary.first, 1);
	assert_int_equal(scene->summary.checkpoints, 1);
	assert_int_equal(scene->summary.anchors_good, 1);
	scene_path(scene, FIRST, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* The largest file allowed is a disk that is full in the middle of a line. */
static void half_a_line_is_cut_off(void **state)
{
	struct audit_scene *scene = *state;
	struct rlimit before;
	struct rlimit small;

	assert_int_equal(trail_open(&scene->trail), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = (rlim_t)scene->trail.size + 10;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(scene_write(scene, "approved", 10, TRAIL_NOW) < 0);
	assert_true(scene->trail.error < 0);
	assert_true(scene_write(scene, "refused", 10, TRAIL_SOON) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(scene_verify(scene, false), 0);
	assert_int_equal(scene->summary.records, 1);
	/* And it is told that two are missing. */
	trail_try(&scene->trail);
	assert_int_equal(scene->trail.error, 0);
	assert_int_equal(scene_write(scene, "approved", 10, TRAIL_NOW), 0);
	assert_int_equal(scene_verify(scene, false), 0);
	assert_int_equal(scene->summary.records, 3);
	assert_int_equal(scene->trail.missed, 0);
}

static void a_torn_line_stays_and_is_told(void **state)
{
	struct audit_scene *scene = *state;

	assert_int_equal(trail_open(&scene->trail), 0);
	assert_int_equal(scene_write(scene, "approved", 10, TRAIL_NOW), 0);
	assert_int_equal(write(scene->trail.fd, "{\"schema\":", 10), 10);
	assert_int_equal(scene_verify(scene, false), 1);
	assert_told(scene, FIRST, 3, "torn");
	start_again(scene);
	assert_non_null(strstr(scene->said, "10 bytes, was torn"));
	assert_true(is_there(scene, SECOND));
	assert_int_equal(scene_verify(scene, false), 0);
	assert_int_equal(scene->summary.torn, 1);
	assert_int_equal(scene->summary.records, 3);
}

/* What is missing at the end is not made up for. */
static void a_tail_that_is_cut_shows_for_ever(void **state)
{
	struct audit_scene *scene = *state;
	char path[96];
	off_t size;

	assert_int_equal(trail_open(&scene->trail), 0);
	assert_int_equal(scene_write(scene, "approved", 10, TRAIL_NOW), 0);
	size = scene->trail.size;
	assert_int_equal(scene_write(scene, "approved", 10, TRAIL_NOW), 0);
	assert_int_equal(scene_write(scene, "approved", 10, TRAIL_NOW), 0);
	scene_path(scene, FIRST, path);
	assert_int_equal(truncate(path, size), 0);
	assert_int_equal(scene_verify(scene, false), 1);
	assert_told(scene, FIRST, 2, "cut behind this record: 2 records");
	start_again(scene);
	assert_non_null(strstr(scene->said, "does not end as it did"));
	assert_int_equal(scene_verify(scene, false), 1);
	assert_told(scene, SECOND, 1, "records 3 to 4");
}

static void a_segment_moved_away_shows(void **state)
{
	struct audit_scene *scene = *state;
	char path[96];
	char moved[96];

	assert_int_equal(trail_open(&scene->trail), 0);
	assert_int_equal(scene_write(scene, "approved", 10, TRAIL_NOW), 0);
	scene_path(scene, FIRST, path);
	scene_path(scene, "old", moved);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(scene_write(scene, "approved", 10, TRAIL_NOW), 0);
	assert_true(scene_verify(scene, false) > 0);
	assert_int_equal(rename(moved, path), 0);
}

static void others_files_are_refused(void **state)
{
	struct audit_scene *scene = *state;
	char other[96];
	char file[96];

	assert_int_equal(trail_open(&scene->trail), 0);
	scene_path(scene, FIRST, file);
	scene_path(scene, "other", other);
	assert_int_equal(link(file, other), 0);
	assert_int_equal(trail_open(&scene->trail), -EPERM);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(chmod(file, 0640), 0);
	assert_int_equal(trail_open(&scene->trail), -EPERM);
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(chmod(scene->folder, 0722), 0);
	assert_int_equal(trail_open(&scene->trail), -EPERM);
	assert_int_equal(chmod(scene->folder, 0700), 0);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(symlink("/etc/passwd", file), 0);
	assert_int_equal(trail_open(&scene->trail), -ELOOP);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rename(other, file), 0);
	assert_int_equal(trail_open(&scene->trail), 0);
	assert_int_equal(scene_verify(scene, false), 0);
}

static void segments_follow_each_other_and_old_ones_go(void **state)
{
	struct audit_scene *scene = *state;

	scene->trail.limits = (struct trail_limits){ .segment_bytes = 500, .keep = 3 };
	assert_int_equal(trail_open(&scene->trail), 0);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(scene_write(scene, "approved", 100, TRAIL_SOON), 0);
	assert_false(is_there(scene, FIRST));
	assert_int_equal(scene_verify(scene, false), 0);
	assert_int_equal(scene->summary.segments, 3);
	assert_true(scene->summary.first > 20);
}

static int refuse_protection(void *context, int fd, bool on)
{
	(void)context;
	(void)fd;
	assert_true(on);
	return -ENOSPC;
}

static void what_cannot_be_protected_is_not_written(void **state)
{
	struct audit_scene *scene = *state;

	scene->trail.protect = refuse_protection;
	assert_int_equal(trail_open(&scene->trail), -ENOSPC);
	assert_int_equal(scene_write(scene, "approved", 10, TRAIL_NOW), -ENOSPC);
	scene->trail.protect = NULL;
	assert_int_equal(scene_write(scene, "approved", 10, TRAIL_NOW), 0);
	assert_int_equal(scene_verify(scene, false), 0);
}

static void keys_change(void **state)
{
	struct audit_scene *scene = *state;

	assert_int_equal(trail_open(&scene->trail), 0);
	assert_int_equal(trail_checkpoint(&scene->trail, false), 0);
	scene_key(scene);
	assert_int_equal(trail_checkpoint(&scene->trail, false), 0);
	scene_key(scene);
	assert_int_equal(trail_checkpoint(&scene->trail, false), 0);
	assert_int_equal(scene_verify(scene, true), 0);
	assert_int_equal(scene->summary.signatures, 2);
	assert_int_equal(scene->summary.signed_to, 4);
	/* By the first key alone the second one is a stranger's. */
	sign_key_reset(&scene->keys[1]);
	scene->key_count = 1;
	assert_int_equal(scene_verify(scene, true), 1);
	assert_told(scene, FIRST, 4, "another key");
	/* Who has no key cannot go on. */
	sign_key_reset(&scene->trail.key);
	assert_int_equal(trail_checkpoint(&scene->trail, false), 0);
	assert_int_equal(scene_verify(scene, true), 2);
	assert_non_null(strstr(scene->faults[1].what, "not signed, and an earlier one is"));
}

static void anchors_tell_of_a_tail_that_is_cut(void **state)
{
	struct audit_scene *scene = *state;
	char path[96];
	off_t size;

	assert_int_equal(trail_open(&scene->trail), 0);
	assert_int_equal(trail_checkpoint(&scene->trail, false), 0);
	size = scene->trail.size;
	assert_int_equal(scene_write(scene, "approved", 10, TRAIL_NOW), 0);
	assert_int_equal(trail_checkpoint(&scene->trail, false), 0);
	scene_path(scene, FIRST, path);
	assert_int_equal(truncate(path, size), 0);
	scene_path(scene, AUDIT_HEAD_FILE, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(scene_verify(scene, true), 1);
	assert_told(scene, FIRST, 2, "record 4 was anchored: it was cut");
	/* Without them it is said that nothing can be said. */
	assert_int_equal(scene_verify(scene, false), 1);
	assert_told(scene, AUDIT_HEAD_FILE, 0, "a tail that was cut is not seen");
}

#define HASH "ab34567890123456789012345678901234567890123456789012345678901234"

static void anchors_are_read_in_all_forms(void **state)
{
	static const char *const forms[] = {
		"{\"schema\":\"picket.event/1\",\"kind\":\"audit-head\",\"number\":7,\"hash\":\"" HASH
		"\",\"seq\":90}\n",
		"<110>1 2026-11-22T05:00:00Z host picketd 1 audit-head - {\"kind\":\"audit-head\","
		"\"number\":7,\"hash\":\"" HASH "\"}\n",
		"<110>1 2026-11-22T05:00:00Z host picketd 1 - [picket@1 kind=\"audit-head\" "
		"number=\"7\" hash=\"" HASH "\"] head\n",
		"{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"attributes\":["
		"{\"key\":\"picket.kind\",\"value\":{\"stringValue\":\"audit-head\"}},"
		"{\"key\":\"picket.number\",\"value\":{\"intValue\":\"7\"}},"
		"{\"key\":\"picket.hash\",\"value\":{\"stringValue\":\"" HASH "\"}}]}]}]}]}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct anchors anchors = { 0 };
		FILE *file = fmemopen((char *)forms[i], strlen(forms[i]), "r");

		assert_int_equal(anchors_read(file, &anchors), 0);
		(void)fclose(file);
		if (anchors.count != 1 || anchors.items[0].seq != 7 ||
		    strcmp(anchors.items[0].hash, HASH) != 0)
			fail_msg("%s", forms[i]);
		anchors_reset(&anchors);
	}
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
	const struct CMUnitTest tests[] = {
		SCENE(it_grows_and_is_verified),
		SCENE(half_a_line_is_cut_off),
		SCENE(a_torn_line_stays_and_is_told),
		SCENE(a_tail_that_is_cut_shows_for_ever),
		SCENE(a_segment_moved_away_shows),
		SCENE(others_files_are_refused),
		SCENE(segments_follow_each_other_and_old_ones_go),
		SCENE(what_cannot_be_protected_is_not_written),
		SCENE(keys_change),
		SCENE(anchors_tell_of_a_tail_that_is_cut),
		cmocka_unit_test(anchors_are_read_in_all_forms),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
