/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine/mounts: the right mount is found in mountinfo texts of real hosts, and broken lines are
 * not taken for mounts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "engine/mounts.h"

static int find(const char *text, const char *type, struct mount_place *ret_place)
{
	CLEAN_FILE FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(file);
	return mounts_find(file, type, ret_place);
}

static void check(const char *text, const char *point, bool writable, bool whole)
{
	CLEAN(mount_place_reset) struct mount_place place = { 0 };

	assert_int_equal(find(text, "cgroup2", &place), 0);
	assert_string_equal(place.point, point);
	assert_int_equal(place.writable, writable);
	assert_int_equal(place.whole, whole);
}

static void finds_unified(void **state)
{
	(void)state;
	check("22 27 0:21 / /proc rw,relatime - proc proc rw\n"
	      "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
	      "/sys/fs/cgroup", true, true);
}

static void finds_hybrid(void **state)
{
	(void)state;
	check("31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	      "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
	      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
	      "/sys/fs/cgroup/unified", true, true);
}

static void prefers_writable_and_whole(void **state)
{
	static const char text[] = "1 0 0:38 /a /part rw - cgroup2 cgroup2 rw\n"
				   "2 0 0:38 / /readonly ro,relatime - cgroup2 cgroup2 rw\n"
				   "3 0 0:38 / /best rw,relatime shared:1 master:2 - cgroup2 c rw\n"
				   "4 0 0:38 / /later rw,relatime - cgroup2 cgroup2 rw\n";

	(void)state;
	check(text, "/best", true, true);
	check("2 0 0:38 / /readonly ro - cgroup2 cgroup2 rw\n"
	      "1 0 0:38 /a /part rw - cgroup2 cgroup2 rw\n",
	      "/part", true, false);
	check("2 0 0:38 / /readonly ro - cgroup2 cgroup2 rw\n", "/readonly", false, true);
}

static void undoes_escapes(void **state)
{
	(void)state;
	check("1 0 0:38 / /a\\040b\\011c\\012d\\134e rw - cgroup2 cgroup2 rw\n", "/a b\tc\nd\\e",
	      true, true);
	check("1 0 0:38 / /x\\04 rw - cgroup2 cgroup2 rw\n", "/x\\04", true, true);
	check("1 0 0:38 / /x\\777 rw - cgroup2 cgroup2 rw\n", "/x\\777", true, true);
}

static void passes_over_broken_lines(void **state)
{
	static const char *const broken[] = {
		"",
		"\n",
		"-\n",
		"- cgroup2 cgroup2 rw\n",
		"1 0 0:38 / /x - cgroup2 cgroup2 rw\n",
		"1 0 0:38 / /x rw cgroup2 cgroup2 rw\n",
		"1 0 0:38 / /x rw -\n",
		"1 0 0:38 / /x rw shared:1",
		"1 0 0:38 / /x rw - cgroup cgroup2 rw\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct mount_place place = { 0 };

		/* fmemopen() takes no empty buffer. */
		if (*broken[i])
			assert_int_equal(find(broken[i], "cgroup2", &place), -ENOENT);
		assert_null(place.point);
	}
}

static void reads_this_host(void **state)
{
	CLEAN(mount_place_reset) struct mount_place place = { 0 };

	(void)state;
	assert_int_equal(mounts_find_own("proc", &place), 0);
	assert_non_null(place.point);
	assert_int_equal(mounts_find_own("no such type", &place), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_unified),
		cmocka_unit_test(finds_hybrid),
		cmocka_unit_test(prefers_writable_and_whole),
		cmocka_unit_test(undoes_escapes),
		cmocka_unit_test(passes_over_broken_lines),
		cmocka_unit_test(reads_this_host),
	};

	return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
