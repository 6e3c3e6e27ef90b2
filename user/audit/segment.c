/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in the folder of a trail, and how lines are found in it.
 */
#include "audit/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define PREFIX "trail-"
#define SUFFIX ".jsonl"
#define HEAD_SCHEMA "picket.audit-state/1"
/* A whole line, and some of the next. */
#define BUFFER_SIZE (AUDIT_LINE_MAX + 65536)

/* --- Names ---------------------------------------------------------------------------------------- */

void audit_segment_name(__u32 number, char ret_name[AUDIT_NAME_SIZE])
{
	(void)snprintf(ret_name, AUDIT_NAME_SIZE, PREFIX "%06u" SUFFIX, number);
}

__u32 audit_segment_number(const char *name)
{
	char again[AUDIT_NAME_SIZE];
	unsigned long number;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	number = strtoul(name + strlen(PREFIX), NULL, 10);
	if (number == 0 || number >= 4000000000UL)
		return 0;
	audit_segment_name((__u32)number, again);
	return strcmp(name, again) == 0 ? (__u32)number : 0;
}

static int compare(const void *a, const void *b)
{
	__u32 one = *(const __u32 *)a;
	__u32 other = *(const __u32 *)b;

	return (one > other) - (one < other);
}

static int add(struct audit_segments *segments, __u32 number)
{
	__u32 *grown = reallocarray(segments->items, segments->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	segments->items = grown;
	grown[segments->count++] = number;
	return 0;
}

int audit_segments_list(int folder, struct audit_segments *ret_segments)
{
	struct audit_segments segments = { 0 };
	/* One of its own: the place in a folder is the descriptor's. */
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir) {
		r = -errno;
		mem_close_fd(&fd);
		return r;
	}
	for (struct dirent *entry = readdir(dir); entry && r == 0; entry = readdir(dir)) {
		__u32 number = audit_segment_number(entry->d_name);

		if (number)
			r = add(&segments, number);
	}
	(void)closedir(dir);
	if (segments.count)
		qsort(segments.items, segments.count, sizeof(*segments.items), compare);
	if (r)
		audit_segments_reset(&segments);
	*ret_segments = segments;
	return r;
}

void audit_segments_reset(struct audit_segments *segments)
{
	free(segments->items);
	*segments = (struct audit_segments){ 0 };
}

/* --- The end of a segment ------------------------------------------------------------------------- */

/* Fill @size bytes from @at. */
static int read_at(int fd, char *bytes, size_t size, off_t at)
{
	while (size > 0) {
		ssize_t got = pread(fd, bytes, size, at);

		if (got <= 0 && (got == 0 || errno != EINTR))
			return got < 0 ? -errno : -EIO;
		if (got > 0) {
			bytes += got;
			size -= (size_t)got;
			at += got;
		}
	}
	return 0;
}

/* Index behind the last newline of the first @size bytes, or 0. */
static size_t behind_newline(const char *bytes, size_t size)
{
	const char *at = size ? memrchr(bytes, '\n', size) : NULL;

	return at ? (size_t)(at - bytes) + 1 : 0;
}

/* The last lines of it are the @size bytes at @bytes, which begin at @from of the file. */
static int look_at_end(const char *bytes, size_t size, off_t from, struct audit_tail *tail)
{
	size_t whole = behind_newline(bytes, size);
	size_t start = whole ? behind_newline(bytes, whole - 1) : 0;
	struct audit_line line = { 0 };
	const char *why = NULL;
	int r = 0;

	tail->size = from + (off_t)whole;
	tail->torn = size - whole;
	if (tail->torn)
		r = audit_hash(bytes + whole, tail->torn, tail->torn_hash);
	/* More than any line of ours. */
	tail->damaged = !whole && from > 0;
	if (r || !whole)
		return r;
	if (audit_line_parse(bytes + start, whole - start, &line, &why)) {
		tail->damaged = true;
		return 0;
	}
	tail->head.seq = line.seq;
	tail->stopped = json_is_true(json_object_get(line.object, "stopped"));
	memcpy(tail->head.hash, line.hash, sizeof(line.hash));
	audit_line_reset(&line);
	return 0;
}

int audit_tail_read(int fd, struct audit_tail *ret_tail)
{
	struct audit_tail tail = { .head = AUDIT_HEAD_NONE };
	/* A line, and one that is torn. */
	const size_t most = 2 * (size_t)AUDIT_LINE_MAX + 2;
	CLEAN_FREE char *bytes = NULL;
	struct stat st;
	off_t from;
	int r;

	if (fstat(fd, &st))
		return -errno;
	from = st.st_size > (off_t)most ? st.st_size - (off_t)most : 0;
	bytes = malloc(most);
	if (!bytes)
		return -ENOMEM;
	r = read_at(fd, bytes, (size_t)(st.st_size - from), from);
	if (r == 0)
		r = look_at_end(bytes, (size_t)(st.st_size - from), from, &tail);
	if (r == 0)
		*ret_tail = tail;
	return r;
}

/* --- The head ------------------------------------------------------------------------------------- */

int audit_head_read(int folder, struct audit_head *ret_head)
{
	CLEAN_FD int fd = openat(folder, AUDIT_HEAD_FILE,
				 O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct audit_head head = AUDIT_HEAD_NONE;
	char text[AUDIT_HEAD_SIZE];
	const char *hash = NULL;
	const char *schema = NULL;
	json_int_t seq = -1;
	ssize_t got;
	json_t *all;
	int r = -EBADMSG;

	if (fd < 0)
		return -errno;
	got = read(fd, text, sizeof(text));
	all = got == (ssize_t)sizeof(text) ? json_loadb(text, sizeof(text), 0, NULL) : NULL;
	if (all &&
	    json_unpack(all, "{s:s, s:I, s:s}", "schema", &schema, "seq", &seq, "hash", &hash) ==
		    0 &&
	    strcmp(schema, HEAD_SCHEMA) == 0 && seq >= 0 && strlen(hash) == SIGN_HEX - 1) {
		head.seq = (__u64)seq;
		memcpy(head.hash, hash, SIGN_HEX);
		*ret_head = head;
		r = 0;
	}
	json_decref(all);
	return r;
}

int audit_head_write(int fd, const struct audit_head *head)
{
	char text[AUDIT_HEAD_SIZE];
	int length = snprintf(text, sizeof(text),
			      "{\"schema\":\"" HEAD_SCHEMA "\",\"seq\":%llu,\"hash\":\"%s\"}",
			      (unsigned long long)head->seq, head->hash);

	memset(text + length, ' ', sizeof(text) - (size_t)length - 1);
	text[sizeof(text) - 1] = '\n';
	return pwrite(fd, text, sizeof(text), 0) == (ssize_t)sizeof(text) ? 0 :
	       errno							  ? -errno :
									    -ENOSPC;
}

/* --- Lines ---------------------------------------------------------------------------------------- */

/* Read more behind what is there. Returns how much, 0 at the end, or -errno. */
static ssize_t fill(struct audit_reader *reader)
{
	ssize_t got;

	if (!reader->buffer) {
		reader->buffer = malloc(BUFFER_SIZE);
		if (!reader->buffer)
			return -ENOMEM;
	}
	if (reader->start) {
		memmove(reader->buffer, reader->buffer + reader->start,
			reader->end - reader->start);
		reader->end -= reader->start;
		reader->start = 0;
	}
	do
		got = read(reader->fd, reader->buffer + reader->end, BUFFER_SIZE - reader->end);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	reader->end += (size_t)got;
	return got;
}

/* Give out @size bytes. */
static int give(struct audit_reader *reader, size_t size, const char **ret_bytes, size_t *ret_size)
{
	bool rest = reader->skipping;

	*ret_bytes = reader->buffer + reader->start;
	*ret_size = size;
	reader->start += size;
	reader->skipping = false;
	return rest ? -EAGAIN : AUDIT_READ_LINE;
}

/* -EAGAIN: that was the rest of a line that is too long. */
static int next_piece(struct audit_reader *reader, const char **ret_bytes, size_t *ret_size)
{
	size_t seen = 0;

	for (;;) {
		size_t size = reader->end - reader->start;
		const char *from = reader->buffer ? reader->buffer + reader->start : NULL;
		const char *newline = size > seen ? memchr(from + seen, '\n', size - seen) : NULL;
		ssize_t got;

		if (newline)
			return give(reader, (size_t)(newline - from) + 1, ret_bytes, ret_size);
		if (size > AUDIT_LINE_MAX) {
			bool rest = reader->skipping;

			(void)give(reader, size, ret_bytes, ret_size);
			reader->skipping = true;
			return rest ? -EAGAIN : AUDIT_READ_LONG;
		}
		seen = size;
		got = fill(reader);
		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
	}
	*ret_bytes = reader->buffer + reader->start;
	*ret_size = reader->end - reader->start;
	return *ret_size && !reader->skipping ? AUDIT_READ_TORN : AUDIT_READ_END;
}

int audit_reader_next(struct audit_reader *reader, const char **ret_bytes, size_t *ret_size)
{
	int r;

	do
		r = next_piece(reader, ret_bytes, ret_size);
	while (r == -EAGAIN);
	if (r == AUDIT_READ_LINE && *ret_size > AUDIT_LINE_MAX)
		r = AUDIT_READ_LONG;
	if (r == AUDIT_READ_LINE || r == AUDIT_READ_LONG)
		reader->line++;
	return r;
}

void audit_reader_reset(struct audit_reader *reader)
{
	free(reader->buffer);
	reader->buffer = NULL;
}
