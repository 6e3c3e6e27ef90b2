/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Appending. A line that was written in part, because the disk is full, is cut off again, so that the
 * next one stands alone.
 */
#include "audit/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/trail_parts.h"
#include "base/mem.h"

/* A line, as a rule. */
#define LINE_ROOM 8192

/* --- Opening -------------------------------------------------------------------------------------- */

static void close_files(struct trail *trail)
{
	mem_close_fd(&trail->fd);
	mem_close_fd(&trail->head_fd);
	mem_close_fd(&trail->folder);
}

static int open_all(struct trail *trail)
{
	struct trail_end end = { 0 };
	int r = trail_open_folder(trail);

	if (r == 0)
		r = trail_find_end(trail, &end);
	if (r == 0)
		r = trail_open_head(trail, &end);
	if (r == 0 && !end.next)
		r = trail_open_segment(trail, &end);
	else if (r == 0)
		r = trail_begin_segment(trail, &end);
	return r;
}

int trail_open(struct trail *trail)
{
	close_files(trail);
	trail->error = open_all(trail);
	if (trail->error)
		close_files(trail);
	else
		trail->known = true;
	return trail->error;
}

/* Room for a line, without a byte of it. */
static int reserve(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);

	if (end >= 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, end, LINE_ROOM) == 0)
		return 0;
	/* Not every file system can. */
	return end < 0 || (errno != EOPNOTSUPP && errno != ENOSYS) ? -errno : 0;
}

void trail_try(struct trail *trail)
{
	if (!trail->error)
		return;
	if (trail_open(trail) == 0)
		trail->error = reserve(trail->fd);
}

/* Is the segment still where it was? */
static bool is_there(const struct trail *trail)
{
	char name[AUDIT_NAME_SIZE];
	CLEAN_FREE char *path = NULL;
	struct stat now;
	struct stat ours;

	if (trail->fd < 0)
		return false;
	audit_segment_name(trail->number, name);
	if (asprintf(&path, "%s/" AUDIT_FOLDER "/%s", trail->lib, name) < 0) {
		path = NULL;
		return false;
	}
	return lstat(path, &now) == 0 && fstat(trail->fd, &ours) == 0 &&
	       now.st_dev == ours.st_dev && now.st_ino == ours.st_ino;
}

/* --- Appending ------------------------------------------------------------------------------------ */

int trail_append(struct trail *trail, const char *line, enum trail_when when)
{
	size_t length = strlen(line);
	struct audit_head head = { .seq = trail->head.seq + 1 };
	ssize_t written;
	int r = audit_hash(line, length, head.hash);

	if (r || length > AUDIT_LINE_MAX)
		return r ? r : -E2BIG;
	errno = 0;
	written = write(trail->fd, line, length);
	if (written != (ssize_t)length || (when == TRAIL_NOW && fsync(trail->fd))) {
		r = written >= 0 && written != (ssize_t)length ? -ENOSPC : -errno;
		/* What is left if this fails is taken for torn at the next opening. */
		if (ftruncate(trail->fd, trail->size))
			mem_close_fd(&trail->fd);
		return r;
	}
	trail->size += written;
	trail->head = head;
	trail->since++;
	trail->unsynced = when != TRAIL_NOW;
	/* It is behind the trail by then, never before it; one that is older is no harm. */
	if (when == TRAIL_NOW)
		(void)audit_head_write(trail->head_fd, &trail->head);
	return 0;
}

static int append_record(struct trail *trail, const char *what, const json_t *details,
			 enum trail_when when)
{
	CLEAN_FREE char *line = audit_line_make(&trail->head, what, details);

	return line ? trail_append(trail, line, when) : -ENOMEM;
}

/* The next segment, when this one is full. */
static int make_room(struct trail *trail)
{
	struct trail_end end = { .next = trail->number + 1, .previous = trail->number };
	int r;

	if (!trail->limits.segment_bytes || trail->size < (off_t)trail->limits.segment_bytes)
		return 0;
	r = trail_sync(trail);
	if (r == 0)
		r = trail_begin_segment(trail, &end);
	if (r == 0)
		r = trail_remove_old(trail);
	return r;
}

/* What could not be written before is told before anything else is. */
static int tell_missed(struct trail *trail)
{
	json_t *details;
	int r;

	if (!trail->missed)
		return 0;
	details = json_pack("{s:I, s:I, s:s}", "count", (json_int_t)trail->missed, "first",
			    (json_int_t)trail->missed_first, "error",
			    strerror(-trail->missed_error));
	r = details ? append_record(trail, "missed", details, TRAIL_SOON) : -ENOMEM;
	json_decref(details);
	if (r == 0)
		trail->missed = 0;
	return r;
}

static int prepare(struct trail *trail)
{
	int r = is_there(trail) ? 0 : trail_open(trail);

	if (r == 0)
		r = make_room(trail);
	return r ? r : tell_missed(trail);
}

/* Remember that something is missing. */
static int miss(struct trail *trail, int error)
{
	if (!trail->missed++) {
		trail->missed_first = time(NULL);
		trail->missed_error = error;
	}
	trail->error = error;
	return error;
}

int trail_write(struct trail *trail, const char *what, const json_t *details, enum trail_when when)
{
	int r = prepare(trail);

	if (r == 0)
		r = append_record(trail, what, details, when);
	if (r)
		return miss(trail, r);
	trail->error = 0;
	if (trail->limits.checkpoint && trail->since >= trail->limits.checkpoint)
		(void)trail_checkpoint(trail, false);
	return 0;
}

int trail_sync(struct trail *trail)
{
	int r = 0;

	if (!trail->unsynced)
		return 0;
	if (trail->fd < 0 || fsync(trail->fd))
		r = trail->fd < 0 ? -EBADF : -errno;
	else
		r = audit_head_write(trail->head_fd, &trail->head);
	trail->unsynced = r != 0;
	return r;
}

/* --- Checkpoints ---------------------------------------------------------------------------------- */

static int make_checkpoint(const struct trail *trail, bool stopped, char **ret_line)
{
	bool signs = trail->key.pair != NULL;
	json_t *details = json_pack("{s:I, s:s*}", "covered", (json_int_t)trail->head.seq, "key",
				    signs ? trail->key.id : NULL);
	int r;

	if (stopped)
		(void)json_object_set_new(details, "stopped", json_true());
	*ret_line = details ? audit_line_make(&trail->head, "checkpoint", details) : NULL;
	json_decref(details);
	if (!*ret_line)
		return -ENOMEM;
	r = signs ? audit_line_sign(ret_line, &trail->key) : 0;
	if (r)
		mem_free_ptr(ret_line);
	return r;
}

static void tell_head(const struct trail *trail, const char *text)
{
	struct audit_line line = { 0 };
	const char *why = NULL;

	if (!trail->headed || audit_line_parse(text, strlen(text), &line, &why))
		return;
	trail->headed(trail->context, &trail->head, audit_line_signature(&line));
	audit_line_reset(&line);
}

int trail_checkpoint(struct trail *trail, bool stopped)
{
	CLEAN_FREE char *line = NULL;
	int r = prepare(trail);

	if (r == 0)
		r = make_checkpoint(trail, stopped, &line);
	if (r == 0)
		r = trail_append(trail, line, TRAIL_NOW);
	if (r)
		return miss(trail, r);
	trail->error = 0;
	trail->since = 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &trail->checkpoint_at);
	tell_head(trail, line);
	return 0;
}

void trail_close(struct trail *trail)
{
	(void)trail_sync(trail);
	close_files(trail);
	sign_key_reset(&trail->key);
}
