/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds of denials: whole lines, bounded in bytes and in lines a second, what is missing is counted and
 * said; files of somebody else's are not touched. And the remote ends of connections in /proc/net.
 */
#include <errno.h>
#include <fcntl.h>
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
#include "daemon/feed.h"
#include "daemon/registry.h"
#include "engine/learned_peers.h"
#include "events.h"

#define FILE_NAME "a-7-abcdefgh.jsonl"

struct scene {
	char path[40];
	int fd;
	struct feeds feeds;
	struct agent_entry *entry;
};

static int open_place(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	if (!scene)
		return -1;
	strcpy(scene->path, "/tmp/picket-feed-XXXXXX");
	scene->feeds = (struct feeds)FEEDS_NONE;
	scene->entry = registry_new_entry();
	if (!mkdtemp(scene->path) || !scene->entry)
		return -1;
	strcpy(scene->entry->record.id, "a-7-abcdefgh");
	scene->entry->record.slot = 7;
	scene->fd = open(scene->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	feeds_open(&scene->feeds, scene->fd, -1);
	*state = scene;
	return scene->feeds.folder < 0;
}

static int close_place(void **state)
{
	struct scene *scene = *state;
	CLEAN_FREE char *command = NULL;

	registry_free_entry(&scene->entry);
	feeds_close(&scene->feeds);
	mem_close_fd(&scene->fd);
	if (asprintf(&command, "rm -r '%s'", scene->path) < 0 || system(command))
		return -1;
	free(scene);
	return 0;
}

/* @times denials of opening @path, in a second of their own. */
static void deny(struct scene *scene, const char *path, int times)
{
	const struct event_context context = { .agent = scene->entry->record.id };
	struct raw_event raw;
	struct event event;

	raw_event_open(&raw, path);
	event = raw_event_decode(&raw);
	scene->entry->feed.second = 0;
	for (int i = 0; i < times; i++)
		feed_add(&scene->feeds, scene->entry, &event, &context,
			 "{\"schema\":\"x\",\"n\":1}");
}

static size_t count(struct scene *scene)
{
	json_t *lines = feed_read(&scene->entry->feed, 1000000);
	size_t found = json_array_size(lines);

	for (size_t i = 0; i < found; i++)
		assert_true(json_is_object(json_array_get(lines, i)));
	json_decref(lines);
	return found;
}

static void test_line(void **state)
{
	struct scene *scene = *state;
	json_t *lines;
	const json_t *line;

	feed_open(&scene->feeds, scene->entry);
	assert_true(scene->entry->feed.fd >= 0);
	deny(scene, "/srv/secret\n\x1b[m", 2);
	lines = feed_read(&scene->entry->feed, 1);
	assert_int_equal(json_array_size(lines), 1);
	line = json_array_get(lines, 0);
	assert_string_equal(json_string_value(json_object_get(line, "schema")), "x");
	assert_non_null(strstr(json_string_value(json_object_get(line, "text")), "DENIED open"));
	assert_null(strpbrk(json_string_value(json_object_get(line, "text")), "\n\x1b"));
	assert_int_equal(json_array_size(json_object_get(line, "suggest")), 1);
	json_decref(lines);
	assert_int_equal(count(scene), 2);
}

/* A picketd was killed in the middle of a line: it is dropped, and none is glued to it. */
static void test_torn(void **state)
{
	static const char half[] = "{\"schema\":\"x\",\"text\":\"DEN";
	struct scene *scene = *state;

	feed_open(&scene->feeds, scene->entry);
	deny(scene, "/a", 2);
	assert_int_equal(pwrite(scene->entry->feed.fd, half, strlen(half),
				(off_t)scene->entry->feed.size),
			 strlen(half));
	mem_close_fd(&scene->entry->feed.fd);
	scene->entry->feed = (struct feed)FEED_NONE;
	feed_open(&scene->feeds, scene->entry);
	assert_int_equal(scene->entry->feed.dropped, 1);
	assert_int_equal(count(scene), 2);
	deny(scene, "/b", 1);
	assert_int_equal(count(scene), 3);
	assert_int_equal(scene->entry->feed.told, 1);
}

static void test_rate(void **state)
{
	struct scene *scene = *state;

	feed_open(&scene->feeds, scene->entry);
	/* If a second begins in between there are more. */
	deny(scene, "/a", FEED_RATE + 50);
	assert_in_range(count(scene), FEED_RATE, FEED_RATE + 50);
	assert_int_equal(count(scene) + scene->entry->feed.dropped, FEED_RATE + 50);
	deny(scene, "/a", 1);
	assert_int_equal(scene->entry->feed.told, scene->entry->feed.dropped);
}

static void test_bound(void **state)
{
	struct scene *scene = *state;
	char path[3000];
	size_t kept = 0;
	struct stat st;
	int made = 0;

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	feed_open(&scene->feeds, scene->entry);
	for (; made < 1200; made += 100) {
		deny(scene, path, 100);
		assert_int_equal(fstat(scene->entry->feed.fd, &st), 0);
		assert_in_range(st.st_size, 1, FEED_MAX);
		assert_int_equal(st.st_size, scene->entry->feed.size);
	}
	kept = scene->entry->feed.size / 3000;
	assert_in_range(kept, FEED_MAX / 2 / 9000, FEED_MAX / 3000);
	assert_int_equal(scene->feeds.dropped, scene->entry->feed.dropped);
	assert_true(scene->entry->feed.dropped > 0);
	/* The next one that comes knows it, too, and goes on behind it. */
	mem_close_fd(&scene->entry->feed.fd);
	kept = scene->entry->feed.dropped;
	scene->entry->feed = (struct feed)FEED_NONE;
	feed_open(&scene->feeds, scene->entry);
	assert_int_equal(scene->entry->feed.dropped, kept);
	deny(scene, "/last", 1);
	assert_true(count(scene) > 10);
}

static void test_foreign(void **state)
{
	struct scene *scene = *state;
	CLEAN_FD int fd = -1;

	assert_int_equal(symlinkat("/etc/passwd", scene->feeds.folder, FILE_NAME), 0);
	feed_open(&scene->feeds, scene->entry);
	assert_int_equal(scene->entry->feed.fd, -1);
	assert_int_equal(scene->feeds.error, -ELOOP);
	assert_int_equal(unlinkat(scene->feeds.folder, FILE_NAME, 0), 0);
	fd = openat(scene->feeds.folder, FILE_NAME, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(linkat(scene->feeds.folder, FILE_NAME, scene->fd, "other", 0), 0);
	feed_open(&scene->feeds, scene->entry);
	assert_int_equal(scene->entry->feed.fd, -1);
	assert_int_equal(scene->feeds.error, -EPERM);
	assert_int_equal(count(scene), 0);
}

static bool is_seven(void *context, const char *id)
{
	(void)context;
	return strcmp(id, "a-7-abcdefgh") == 0;
}

static void test_sweep(void **state)
{
	static const char *const others[] = { "a-8-abcdefgh.jsonl", "a-7-abcdefgh.new", ".jsonl",
					      "a-7-abcdefghijklmnopqrstuvwxyz.jsonl" };
	struct scene *scene = *state;

	feed_open(&scene->feeds, scene->entry);
	for (size_t i = 0; i < 4; i++) {
		int fd = openat(scene->feeds.folder, others[i], O_CREAT | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		close(fd);
	}
	feeds_sweep(&scene->feeds, is_seven, NULL);
	assert_int_equal(faccessat(scene->feeds.folder, FILE_NAME, F_OK, 0), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_not_equal(faccessat(scene->feeds.folder, others[i], F_OK, 0), 0);
	feeds_remove(scene->fd);
	assert_int_not_equal(faccessat(scene->fd, FEED_FOLDER, F_OK, 0), 0);
	feed_remove(&scene->feeds, scene->entry);
	assert_int_not_equal(faccessat(scene->feeds.folder, FILE_NAME, F_OK, 0), 0);
}

static void test_peers(void **state)
{
	static const char text[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"
		"   0: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0\n"
		"   1: 0100007F:A2C4 0100017F:4654 01 00000000:00000000 00:00000000 00000000 0\n"
		"   2: 0100007F:A2C6 0200017F:4654 06 00000000:00000000 00:00000000 00000000 0\n"
		"   3: 00000000000000000000000000000000:0016 "
		"B80D01200000000000000000010000AA:01BB 01 0 0\n"
		"   4: 0100007F:A2C4 01:4654 01\n   5: nonsense\n";
	static const __u8 v4[16] = { [10] = 0xff, [11] = 0xff, 127, 1, 0, 1 };
	static const __u8 waiting[16] = { [10] = 0xff, [11] = 0xff, 127, 1, 0, 2 };
	static const __u8 v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [12] = 0xaa, [15] = 1 };
	struct learned_peers peers = { 0 };

	(void)state;
	assert_int_equal(learned_peers_parse(text, &peers), 0);
	assert_int_equal(peers.count, 2);
	assert_true(learned_peers_has(&peers, v4));
	assert_true(learned_peers_has(&peers, v6));
	assert_false(learned_peers_has(&peers, waiting));
	learned_peers_reset(&peers);
	assert_false(learned_peers_has(&peers, v4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line, open_place, close_place),
		cmocka_unit_test_setup_teardown(test_torn, open_place, close_place),
		cmocka_unit_test_setup_teardown(test_rate, open_place, close_place),
		cmocka_unit_test_setup_teardown(test_bound, open_place, close_place),
		cmocka_unit_test_setup_teardown(test_foreign, open_place, close_place),
		cmocka_unit_test_setup_teardown(test_sweep, open_place, close_place),
		cmocka_unit_test(test_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
