/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trail that somebody changed: a byte, a line taken out, put in, moved, files cut or taken away, 1000
 * times by chance (of a fixed seed): each is found, at its place. And 1000 trails that nobody changed.
 */
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

#include "audit_scene.h"
#include "base/mem.h"

#define CHANGES 1000
#define TRAILS 1000
#define FILES_MAX 8
#define LINES_MAX 64
#define SEED 20261122

/** A segment in memory. */
struct segment_text {
	char name[AUDIT_NAME_SIZE];
	char *bytes; /* owned */
	size_t size;
	size_t starts[LINES_MAX + 1]; /* of its lines, and its end */
	size_t lines;
};

/** The trail as it was written. */
struct original {
	struct audit_scene scene;
	struct segment_text files[FILES_MAX];
	size_t count;
};

/** Where a change is to be told: one of two places. */
struct told {
	const char *file[2];
	size_t line[2];
};

static __u64 chance = SEED;

/* A number below @limit. */
static size_t pick(size_t limit)
{
	chance = chance * 6364136223846793005ULL + 1442695040888963407ULL;
	return (size_t)(chance >> 33) % limit;
}

static void find_lines(struct segment_text *file)
{
	file->lines = 0;
	for (size_t at = 0; at < file->size;) {
		const char *end = memchr(file->bytes + at, '\n', file->size - at);

		assert_true(file->lines < LINES_MAX);
		file->starts[file->lines++] = at;
		at = end ? (size_t)(end - file->bytes) + 1 : file->size;
	}
	file->starts[file->lines] = file->size;
}

static void load(struct original *original)
{
	struct audit_segments segments = { 0 };
	int folder = open(original->scene.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(audit_segments_list(folder, &segments), 0);
	(void)close(folder);
	assert_in_range(segments.count, 4, FILES_MAX);
	for (size_t i = 0; i < segments.count; i++) {
		struct segment_text *file = &original->files[original->count++];
		CLEAN_FD int fd = -1;
		char path[96];
		struct stat st;

		audit_segment_name(segments.items[i], file->name);
		scene_path(&original->scene, file->name, path);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_int_equal(fstat(fd, &st), 0);
		file->size = (size_t)st.st_size;
		file->bytes = malloc(file->size);
		assert_int_equal(read(fd, file->bytes, file->size), (ssize_t)file->size);
		find_lines(file);
	}
	audit_segments_reset(&segments);
}

/* A trail that has been through everything: it lost its first segments, and its power. */
static int make_original(void **state)
{
	struct original *original = calloc(1, sizeof(*original));
	struct audit_scene *scene = original ? &original->scene : NULL;

	if (!original || scene_open(scene))
		return -1;
	scene_key(scene);
	scene->trail.limits =
		(struct trail_limits){ .segment_bytes = 3000, .keep = 5, .checkpoint = 7 };
	assert_int_equal(trail_open(&scene->trail), 0);
	for (size_t i = 0; i < 90; i++) {
		assert_int_equal(scene_write(scene, "approved", pick(300), TRAIL_SOON), 0);
		if (i != 70)
			continue;
		assert_int_equal(trail_sync(&scene->trail), 0);
		assert_int_equal(write(scene->trail.fd, "{\"schema\":\"pick", 15), 15);
		scene->trail.known = false;
		assert_int_equal(trail_open(&scene->trail), 0);
	}
	assert_int_equal(trail_sync(&scene->trail), 0);
	load(original);
	*state = original;
	return 0;
}

static int free_original(void **state)
{
	struct original *original = *state;

	for (size_t i = 0; i < original->count; i++)
		free(original->files[i].bytes);
	scene_close(&original->scene);
	free(original);
	return 0;
}

static void put(const struct original *original, const char *name, const char *bytes, size_t size)
{
	CLEAN_FD int fd = -1;
	char path[96];

	scene_path(&original->scene, name, path);
	fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
}

static void restore(const struct original *original)
{
	for (size_t i = 0; i < original->count; i++)
		put(original, original->files[i].name, original->files[i].bytes,
		    original->files[i].size);
}

/* The place behind line @line of file @at: its next line, or the next file's first, or it itself. */
static void tell_next(const struct original *original, size_t at, size_t line, struct told *told)
{
	const struct segment_text *file = &original->files[at];

	told->file[0] = told->file[1] = file->name;
	told->line[0] = told->line[1] = line;
	if (line <= file->lines)
		return;
	told->line[0] = told->line[1] = file->lines;
	if (at + 1 == original->count)
		return;
	told->file[1] = original->files[at + 1].name;
	told->line[1] = 1;
}

/* --- Changes -------------------------------------------------------------------------------------- */

static void edit(const struct original *original, struct told *told)
{
	size_t at = pick(original->count);
	const struct segment_text *file = &original->files[at];
	CLEAN_FREE char *bytes = malloc(file->size);
	size_t where = pick(file->size);
	size_t line = 0;

	assert_non_null(bytes);
	memcpy(bytes, file->bytes, file->size);
	bytes[where] = (char)(bytes[where] ^ (1 + (int)pick(255)));
	while (file->starts[line + 1] <= where)
		line++;
	tell_next(original, at, line + 1, told);
	/* Of the first there is nothing says what it should be: the second one is told, and that. */
	if (!at && !line)
		told->line[1] = 2;
	put(original, file->name, bytes, file->size);
}

/* Lines @from to @to (not included) of @file, which are behind each other. */
static size_t bytes_of(const struct segment_text *file, size_t from, size_t to)
{
	return file->starts[to] - file->starts[from];
}

static void take_out(const struct original *original, struct told *told)
{
	size_t at = pick(original->count);
	const struct segment_text *file = &original->files[at];
	CLEAN_FREE char *bytes = malloc(file->size);
	size_t from = pick(file->lines);
	size_t to = from + 1 + (pick(4) ? 0 : pick(file->lines - from));

	assert_non_null(bytes);
	memcpy(bytes, file->bytes, file->starts[from]);
	memcpy(bytes + file->starts[from], file->bytes + file->starts[to],
	       bytes_of(file, to, file->lines));
	tell_next(original, at, to == file->lines ? file->lines + 1 : from + 1, told);
	/* Behind the one that is the last now. */
	if (to == file->lines)
		told->line[0] = from;
	/* What is behind it now is no line. */
	if (to + 1 == file->lines && file->bytes[file->size - 1] != '\n') {
		told->file[1] = original->files[at + 1].name;
		told->line[1] = 1;
	}
	put(original, file->name, bytes, file->size - bytes_of(file, from, to));
}

/* Within a file, or from one to another. */
static void put_in(const struct original *original, struct told *told)
{
	size_t at = pick(original->count);
	const struct segment_text *file = &original->files[at];
	const struct segment_text *other = &original->files[pick(2) ? at : pick(original->count)];
	size_t from = pick(other->lines);
	size_t size = bytes_of(other, from, from + 1);
	CLEAN_FREE char *bytes = malloc(file->size + size);
	/* Not behind bytes that are no line. */
	size_t where = pick(file->lines);

	assert_non_null(bytes);
	memcpy(bytes, file->bytes, file->starts[where]);
	memcpy(bytes + file->starts[where], other->bytes + other->starts[from], size);
	memcpy(bytes + file->starts[where] + size, file->bytes + file->starts[where],
	       file->size - file->starts[where]);
	told->file[0] = told->file[1] = file->name;
	told->line[0] = where + 1;
	/* Of two that are the same the second one is told. */
	told->line[1] = where + 2;
	put(original, file->name, bytes, file->size + size);
}

static void swap(const struct original *original, struct told *told)
{
	size_t at = pick(original->count);
	const struct segment_text *file = &original->files[at];
	CLEAN_FREE char *bytes = malloc(file->size);
	size_t i = pick(file->lines - 1);
	size_t j = i + 1 + pick(file->lines - i - 1);
	size_t length = 0;

	assert_non_null(bytes);
	memcpy(bytes, file->bytes, file->starts[i]);
	length = file->starts[i];
	for (size_t line = i; line < file->lines; line++) {
		size_t from = line == i ? j : line == j ? i : line;

		memcpy(bytes + length, file->bytes + file->starts[from],
		       bytes_of(file, from, from + 1));
		length += bytes_of(file, from, from + 1);
	}
	tell_next(original, at, i + 1, told);
	put(original, file->name, bytes, file->size);
}

static void cut(const struct original *original, struct told *told)
{
	size_t at = pick(original->count);
	const struct segment_text *file = &original->files[at];
	size_t size = pick(file->size);
	size_t line = 0;

	while (file->starts[line + 1] <= size)
		line++;
	/* The line that is torn now; or the one before it, behind which the trail was cut. */
	told->file[0] = told->file[1] = file->name;
	told->line[0] = line + 1;
	told->line[1] = line;
	if (size == file->starts[line] && at + 1 < original->count) {
		told->file[0] = original->files[at + 1].name;
		told->line[0] = 1;
	}
	if (!line && at) {
		told->file[1] = original->files[at - 1].name;
		told->line[1] = original->files[at - 1].lines;
	}
	put(original, file->name, file->bytes, size);
}

static void take_away(const struct original *original, struct told *told)
{
	size_t at = pick(original->count);
	char path[96];

	scene_path(&original->scene, original->files[at].name, path);
	assert_int_equal(unlink(path), 0);
	/* The folder lacks it; or it is cut behind what is the last record then. */
	told->file[0] = "";
	told->line[0] = 0;
	told->file[1] = original->files[at ? at - 1 : 0].name;
	told->line[1] = original->files[at ? at - 1 : 0].lines;
}

static const struct {
	const char *name;
	void (*change)(const struct original *original, struct told *told);
} changes[] = {
	{ "a byte is another", edit },	       { "a byte is another", edit },
	{ "lines are taken out", take_out },   { "a line is put in", put_in },
	{ "two lines are swapped", swap },     { "a file is cut", cut },
	{ "a file is taken away", take_away },
};

static bool is_told(const struct scene_fault *fault, const struct told *told)
{
	for (size_t i = 0; i < 2; i++) {
		if (strcmp(fault->file, told->file[i]) == 0 && fault->line == told->line[i])
			return true;
	}
	return false;
}

static void each_change_is_found(void **state)
{
	struct original *original = *state;

	assert_int_equal(scene_verify(&original->scene, true), 0);
	for (size_t i = 0; i < CHANGES; i++) {
		size_t kind = pick(sizeof(changes) / sizeof(*changes));
		struct scene_fault *first = original->scene.faults;
		struct told told = { 0 };

		changes[kind].change(original, &told);
		if (scene_verify(&original->scene, i % 2) <= 0)
			fail_msg("change %zu: %s, %s:%zu: not found", i, changes[kind].name,
				 told.file[0], told.line[0]);
		if (!is_told(first, &told))
			fail_msg("change %zu: %s, %s:%zu or %s:%zu: told at %s:%zu: %s", i,
				 changes[kind].name, told.file[0], told.line[0], told.file[1],
				 told.line[1], first->file, first->line, first->what);
		restore(original);
	}
	assert_int_equal(scene_verify(&original->scene, true), 0);
}

/* --- No change ------------------------------------------------------------------------------------ */

static void make_trail(struct audit_scene *scene)
{
	scene->trail.limits = (struct trail_limits){ .segment_bytes = 600 + pick(3000),
						     .keep = (__u32)pick(4),
						     .checkpoint = (__u32)pick(9) };
	if (pick(2))
		scene_key(scene);
	assert_int_equal(trail_open(&scene->trail), 0);
	for (size_t i = pick(20) + 1; i > 0; i--) {
		assert_int_equal(scene_write(scene, "approved", pick(500), pick(2)), 0);
		switch (pick(12)) {
		case 0: /* killed: memory is gone, the file is as it is */
			scene->trail.known = false;
			assert_int_equal(trail_open(&scene->trail), 0);
			break;
		case 1: /* the power is gone, in the middle of a line */
			assert_int_equal(trail_sync(&scene->trail), 0);
			assert_int_equal(write(scene->trail.fd, "{\"schema\":\"picket",
					       1 + pick(16)) > 0,
					 1);
			scene->trail.known = false;
			assert_int_equal(trail_open(&scene->trail), 0);
			break;
		case 2:
			assert_int_equal(trail_checkpoint(&scene->trail, false), 0);
			break;
		default:
			break;
		}
	}
	if (scene->key_count)
		assert_int_equal(trail_checkpoint(&scene->trail, false), 0);
}

static void what_is_whole_raises_no_alarm(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRAILS; i++) {
		struct audit_scene scene;
		int faults;

		assert_int_equal(scene_open(&scene), 0);
		make_trail(&scene);
		faults = scene_verify(&scene, scene.anchors.count > 0);
		if (faults)
			fail_msg("trail %zu: %d: %s:%zu: %s", i, faults, scene.faults[0].file,
				 scene.faults[0].line, scene.faults[0].what);
		scene_close(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_change_is_found, make_original, free_original),
		cmocka_unit_test(what_is_whole_raises_no_alarm),
	};

	return cmocka_run_group_tests_name("audit_changes", tests, NULL, NULL);
}
