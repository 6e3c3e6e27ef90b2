/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Only whole lines are left in a segment: a write that did not come to its end is taken back, and one
 * that was cut by the end of the process is cut off when the spool is opened.
 */
#include "sink/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"

#define POSITION_FILE "position"
#define SEGMENT_MIN ((size_t)1 << 16)
#define SEGMENT_MAX ((size_t)8 << 20)

/* Only these classes wait on disk. */
static const char letters[SINK__CLASSES] = { [SINK_DECISION] = 'd', [SINK_RECORD] = 'r' };

static spool_place place_of(__u32 segment, __u32 offset)
{
	return (spool_place)segment << 32 | offset;
}

static __u32 segment_of(spool_place place)
{
	return (__u32)(place >> 32);
}

static void segment_name(__u32 number, char name[24])
{
	(void)snprintf(name, 24, "%010u.lines", number);
}

static size_t segment_limit(const struct spool *spool)
{
	size_t limit = spool->limit / 8;

	if (limit < SEGMENT_MIN)
		return SEGMENT_MIN;
	return limit < SEGMENT_MAX ? limit : SEGMENT_MAX;
}

spool_place spool_end(const struct spool *spool)
{
	return place_of(spool->last, spool->size);
}

static void write_position(const struct spool *spool)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%010u %010u\n", segment_of(spool->done),
			      (__u32)spool->done);

	/* An old position only sends again what was sent. */
	(void)!pwrite(spool->position, text, (size_t)length, 0);
}

/* --- Opening -------------------------------------------------------------------------------------- */

static int class_of(char letter)
{
	for (int class = 0; class < SINK__CLASSES; class ++) {
		if (letter && letters[class] == letter)
			return class;
	}
	return -1;
}

/* The numbers of the segments that are there; none: first > last. */
static int find_segments(struct spool *spool)
{
	int copy = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!dir) {
		mem_close_fd(&copy);
		return -errno;
	}
	spool->first = UINT32_MAX;
	spool->last = 0;
	while ((entry = readdir(dir))) {
		char name[24];
		unsigned long number = strtoul(entry->d_name, NULL, 10);

		if (number == 0 || number >= UINT32_MAX)
			continue;
		segment_name((__u32)number, name);
		if (strcmp(name, entry->d_name) != 0)
			continue;
		if (number < spool->first)
			spool->first = (__u32)number;
		if (number > spool->last)
			spool->last = (__u32)number;
	}
	(void)closedir(dir);
	return 0;
}

/* Count what is behind @from; *@ret_whole is where the last whole line ends. */
static int count_lines(FILE *file, long from, __u64 counts[SINK__CLASSES], __u32 *ret_whole)
{
	CLEAN_FREE char *line = NULL;
	size_t room = 0;
	ssize_t length;
	size_t at = (size_t)from;

	if (fseek(file, from, SEEK_SET))
		return -errno;
	while ((length = getline(&line, &room, file)) > 0 && line[length - 1] == '\n') {
		int class = class_of(line[0]);

		if (class >= 0)
			counts[class]++;
		at += (size_t)length;
	}
	*ret_whole = (__u32)at;
	return ferror(file) ? -EIO : 0;
}

/* What came after a gap in the numbers, or a damaged position, is read from its beginning. */
static int look_at_segment(struct spool *spool, __u32 number, __u64 counts[SINK__CLASSES])
{
	bool last = number == spool->last;
	CLEAN_FILE FILE *file = NULL;
	CLEAN_FD int fd = -1;
	char name[24];
	struct stat st;
	long from = 0;
	__u32 whole = 0;
	int r;

	segment_name(number, name);
	fd = openat(spool->folder, name, (last ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st))
		return -errno;
	if (segment_of(spool->done) == number && (__u32)spool->done <= st.st_size)
		from = (long)(__u32)spool->done;
	else if (segment_of(spool->done) == number)
		spool->done = place_of(number, 0);
	file = fdopen(dup(fd), "re");
	if (!file)
		return -errno;
	r = count_lines(file, from, counts, &whole);
	if (r)
		return r;
	if (last && whole < st.st_size && ftruncate(fd, whole))
		return -errno;
	spool->bytes += last ? whole : (size_t)st.st_size;
	if (last) {
		spool->size = whole;
		spool->segment = TAKE_FD(fd);
	}
	return 0;
}

static void read_position(struct spool *spool)
{
	unsigned long segment = 0;
	unsigned long offset = 0;
	char text[32] = "";
	char *rest = text;

	/* What is no number is 0, and that is before every line. */
	if (pread(spool->position, text, sizeof(text) - 1, 0) > 0) {
		segment = strtoul(text, &rest, 10);
		offset = strtoul(rest, NULL, 10);
	}
	spool->done = place_of((__u32)segment, (__u32)offset);
}

static int open_segments(struct spool *spool, __u64 counts[SINK__CLASSES])
{
	int r = find_segments(spool);

	read_position(spool);
	if (r)
		return r;
	if (spool->first > spool->last) {
		/* Numbers go on, so that a position never means another line. */
		spool->first = spool->last = segment_of(spool->done) + 1;
		spool->done = spool->read = place_of(spool->first, 0);
		return 0;
	}
	if (segment_of(spool->done) < spool->first || segment_of(spool->done) > spool->last)
		spool->done = place_of(spool->first, 0);
	for (__u32 number = segment_of(spool->done); r == 0 && number <= spool->last; number++)
		r = look_at_segment(spool, number, counts);
	spool->read = spool->done;
	return r;
}

int spool_open(struct spool *spool, int parent, const char *name, size_t limit,
	       __u64 counts[SINK__CLASSES])
{
	*spool = (struct spool)SPOOL_NONE;
	spool->limit = limit;
	if (mkdirat(parent, name, 0700) && errno != EEXIST)
		return -errno;
	spool->folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (spool->folder < 0)
		return -errno;
	spool->position = openat(spool->folder, POSITION_FILE,
				 O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (spool->position < 0)
		return -errno;
	return open_segments(spool, counts);
}

/* --- Writing -------------------------------------------------------------------------------------- */

/* A segment for the next line: the last one, or one more. */
static int open_segment(struct spool *spool)
{
	char name[24];

	if (spool->segment >= 0 && spool->size >= segment_limit(spool)) {
		mem_close_fd(&spool->segment);
		spool->last++;
		spool->size = 0;
	}
	if (spool->segment >= 0)
		return 0;
	segment_name(spool->last, name);
	spool->segment = openat(spool->folder, name,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return spool->segment < 0 ? -errno : 0;
}

static int write_line(struct spool *spool, const struct sink_line *line)
{
	char letter = letters[line->class];
	char newline = '\n';
	const struct iovec parts[] = {
		{ &letter, 1 },
		{ (void *)line->text, line->length },
		{ &newline, 1 },
	};
	size_t length = line->length + 2;
	ssize_t written;

	if (spool->bytes + length > spool->limit)
		return -ENOSPC;
	written = pwritev(spool->segment, parts, 3, (off_t)spool->size);
	if (written == (ssize_t)length) {
		spool->size += (__u32)length;
		spool->bytes += length;
		return 0;
	}
	/* A cut line would be taken for the beginning of the next one. */
	if (written > 0 && ftruncate(spool->segment, (off_t)spool->size))
		return -errno;
	return written < 0 ? -errno : -ENOSPC;
}

int spool_add(struct spool *spool, const struct sink_line *line)
{
	bool all_read = spool->read == spool_end(spool);
	int r = open_segment(spool);

	/* The end of one segment is the beginning of the next. */
	if (r == 0 && all_read)
		spool->read = spool_end(spool);
	if (r == 0)
		r = write_line(spool, line);
	spool->error = r;
	return r;
}

void spool_skip(struct spool *spool)
{
	mem_close_file(&spool->reader);
	spool->read = spool_end(spool);
}

/* --- Reading -------------------------------------------------------------------------------------- */

static int open_reader(struct spool *spool)
{
	char name[24];
	int fd;

	if (spool->reader)
		return 0;
	segment_name(segment_of(spool->read), name);
	fd = openat(spool->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	spool->reader = fdopen(fd, "re");
	if (!spool->reader) {
		mem_close_fd(&fd);
		return -ENOMEM;
	}
	return fseek(spool->reader, (long)(__u32)spool->read, SEEK_SET) ? -errno : 0;
}

/* 0: *@line has it, or there is no more in this segment and the reader stands at the next. */
static int read_line(struct spool *spool, char **line, size_t *room, ssize_t *ret_length)
{
	int r = open_reader(spool);

	*ret_length = 0;
	if (r)
		return r;
	*ret_length = getline(line, room, spool->reader);
	if (*ret_length > 0) {
		spool->read += (spool_place)*ret_length;
		return 0;
	}
	if (ferror(spool->reader))
		return -EIO;
	mem_close_file(&spool->reader);
	if (segment_of(spool->read) == spool->last)
		return -ENODATA;
	spool->read = place_of(segment_of(spool->read) + 1, 0);
	return 0;
}

int spool_read(struct spool *spool, struct sink_line **ret_line)
{
	CLEAN_FREE char *text = NULL;
	size_t room = 0;

	while (spool->read != spool_end(spool)) {
		ssize_t length;
		int r = read_line(spool, &text, &room, &length);
		int class = r == 0 && length > 1 ? class_of(text[0]) : -1;

		if (r)
			return r;
		/* Anything else was not written here, and not counted. */
		if (class < 0)
			continue;
		*ret_line = sink_line_new((enum sink_class) class, text + 1, (size_t)length - 2);
		return *ret_line ? 0 : -ENOMEM;
	}
	return -ENODATA;
}

/* --- Delivered ------------------------------------------------------------------------------------ */

static void remove_segment(struct spool *spool, __u32 number)
{
	char name[24];
	struct stat st;

	segment_name(number, name);
	if (fstatat(spool->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    unlinkat(spool->folder, name, 0) == 0)
		spool->bytes -= (size_t)st.st_size < spool->bytes ? (size_t)st.st_size :
								    spool->bytes;
}

/* All is delivered: begin a new segment, before an idle sink keeps an old one for ever. */
static void begin_anew(struct spool *spool)
{
	mem_close_fd(&spool->segment);
	mem_close_file(&spool->reader);
	remove_segment(spool, spool->last);
	spool->first = ++spool->last;
	spool->size = 0;
	spool->bytes = 0;
	spool->read = spool->done = spool_end(spool);
}

void spool_done(struct spool *spool, spool_place place)
{
	if (place <= spool->done)
		return;
	spool->done = place;
	for (; spool->first < segment_of(place); spool->first++)
		remove_segment(spool, spool->first);
	if (place == spool_end(spool) && spool->size >= SEGMENT_MIN)
		begin_anew(spool);
	write_position(spool);
}

void spool_clear(struct spool *spool)
{
	for (; spool->first < spool->last; spool->first++)
		remove_segment(spool, spool->first);
	begin_anew(spool);
	write_position(spool);
}

void spool_close(struct spool *spool)
{
	mem_close_file(&spool->reader);
	mem_close_fd(&spool->segment);
	mem_close_fd(&spool->position);
	mem_close_fd(&spool->folder);
	*spool = (struct spool)SPOOL_NONE;
}
