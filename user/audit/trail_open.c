/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a trail goes on: after its last record if all is well, else in a segment of its own that says
 * what was found. What was synced last is known from the head file, or from memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/trail_parts.h"
#include "base/mem.h"

#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
/* Names that somebody else has taken are passed over, so many. */
#define TAKEN_MAX 1000

void trail_say(const struct trail *trail, const char *format, ...)
{
	CLEAN_FREE char *text = NULL;
	va_list arguments;

	if (!trail->say)
		return;
	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (text)
		trail->say(trail->context, text);
}

static int protect(const struct trail *trail, int fd)
{
	return trail->protect ? trail->protect(trail->context, fd, true) : 0;
}

/* --- The folder ----------------------------------------------------------------------------------- */

/* Whoever may write the folder may put another file there. */
static int open_private(int at, const char *name, int *ret_fd)
{
	CLEAN_FD int fd = -1;
	struct stat st;

	if (mkdirat(at, name, 0700) && errno != EEXIST)
		return -errno;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int trail_open_folder(struct trail *trail)
{
	CLEAN_FD int lib = -1;
	int r = open_private(AT_FDCWD, trail->lib, &lib);

	if (r == 0)
		r = open_private(lib, AUDIT_FOLDER, &trail->folder);
	if (r == 0)
		r = protect(trail, lib);
	if (r == 0)
		r = protect(trail, trail->folder);
	/* The name, too, is to be there after a crash. */
	return r == 0 && fsync(lib) ? -errno : r;
}

/* A file of the folder's, which is to be ours alone. */
static int open_own(int folder, const char *name, int flags, int *ret_fd)
{
	CLEAN_FD int fd = openat(folder, name, flags | OPEN_FLAGS, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 ||
	    (st.st_mode & 077))
		return -EPERM;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- Where it goes on ----------------------------------------------------------------------------- */

static int read_tail(const struct trail *trail, __u32 number, struct audit_tail *ret_tail)
{
	char name[AUDIT_NAME_SIZE];
	CLEAN_FD int fd = -1;
	int r;

	audit_segment_name(number, name);
	r = open_own(trail->folder, name, O_RDONLY, &fd);
	return r ? r : audit_tail_read(fd, ret_tail);
}

/* The last record of all segments. */
static int find_last(const struct trail *trail, const struct audit_segments *segments,
		     struct audit_tail *ret_last, struct audit_tail *ret_before)
{
	size_t at = segments->count;
	int r = 0;

	*ret_before = (struct audit_tail){ .head = AUDIT_HEAD_NONE };
	r = read_tail(trail, segments->items[--at], ret_last);
	if (r)
		return r;
	*ret_before = *ret_last;
	/* One that was only begun. */
	while (r == 0 && at > 0 && !ret_before->head.seq && !ret_before->damaged)
		r = read_tail(trail, segments->items[--at], ret_before);
	return r;
}

/* Agents are to leave all of them alone. */
static int protect_all(const struct trail *trail, const struct audit_segments *segments)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < segments->count; i++) {
		char name[AUDIT_NAME_SIZE];
		CLEAN_FD int fd = -1;

		audit_segment_name(segments->items[i], name);
		r = open_own(trail->folder, name, O_RDONLY, &fd);
		if (r == 0)
			r = protect(trail, fd);
	}
	return r;
}

/* What was synced last, by memory or by the head file. Returns 1: nothing says it. */
static int find_head(struct trail *trail)
{
	struct audit_head kept = AUDIT_HEAD_NONE;
	int r;

	if (trail->known)
		return 0;
	r = audit_head_read(trail->folder, &kept);
	if (r && r != -ENOENT && r != -EBADMSG)
		return r;
	trail->head = kept;
	return r ? 1 : 0;
}

static bool is_same(const struct audit_head *a, const struct audit_head *b)
{
	return a->seq == b->seq && strcmp(a->hash, b->hash) == 0;
}

/* The end that was found, against the one that is known. @nothing: none is. */
static int judge(struct trail *trail, const struct audit_tail *found, bool nothing, bool *ret_next)
{
	const struct audit_head *head = &trail->head;

	if (nothing && found->damaged)
		return -EBADMSG;
	trail->headless = nothing && found->head.seq;
	*ret_next = trail->headless || found->damaged;
	if (nothing || (!found->damaged && found->head.seq > head->seq && !trail->known)) {
		/* More than was synced is no harm. */
		trail->beyond = nothing ? 0 : found->head.seq - head->seq;
		trail->head = found->head;
		return 0;
	}
	if (found->damaged || !is_same(&found->head, head)) {
		trail_say(trail,
			  "the audit trail does not end as it did: record %llu was its last, and "
			  "%llu is: see 'picket audit verify'",
			  (unsigned long long)head->seq, (unsigned long long)found->head.seq);
		*ret_next = true;
	}
	return 0;
}

/* There are segments. */
static int find_in(struct trail *trail, const struct audit_segments *segments, bool nothing,
		   struct trail_end *end)
{
	struct audit_tail last = { .head = AUDIT_HEAD_NONE };
	struct audit_tail whole = { .head = AUDIT_HEAD_NONE };
	bool next = false;
	int r = protect_all(trail, segments);

	if (r == 0)
		r = find_last(trail, segments, &last, &whole);
	if (r == 0)
		r = judge(trail, &whole, nothing, &next);
	if (r)
		return r;
	trail->stopped = whole.stopped;
	end->last = end->previous = segments->items[segments->count - 1];
	end->size = last.size;
	end->torn = last.torn;
	memcpy(end->torn_hash, last.torn_hash, sizeof(end->torn_hash));
	/* An empty one, of a crash as it was begun, has no first record that says whose it is. */
	if (next || last.torn || !last.size)
		end->next = end->last + 1;
	if (last.torn)
		trail_say(
			trail,
			"the audit trail's last line, %zu bytes, was torn: it stays where it is, and "
			"the trail goes on in a new segment",
			last.torn);
	return 0;
}

int trail_find_end(struct trail *trail, struct trail_end *ret_end)
{
	struct audit_segments segments = { 0 };
	struct trail_end end = { 0 };
	int nothing = find_head(trail);
	int r = nothing < 0 ? nothing : audit_segments_list(trail->folder, &segments);

	if (r)
		return r;
	if (segments.count) {
		r = find_in(trail, &segments, nothing > 0, &end);
	} else {
		end.next = 1;
		if (trail->head.seq)
			trail_say(trail,
				  "no segment of the audit trail is there, and it had %llu "
				  "records: see 'picket audit verify'",
				  (unsigned long long)trail->head.seq);
	}
	audit_segments_reset(&segments);
	*ret_end = end;
	return r;
}

int trail_open_head(struct trail *trail, const struct trail_end *end)
{
	int r = open_own(trail->folder, AUDIT_HEAD_FILE, O_RDWR | O_CREAT, &trail->head_fd);

	(void)end;
	if (r == 0)
		r = protect(trail, trail->head_fd);
	/* Before there is a record: no trail is without it. */
	if (r == 0)
		r = audit_head_write(trail->head_fd, &trail->head);
	if (r == 0 && (fsync(trail->head_fd) || fsync(trail->folder)))
		r = -errno;
	return r;
}

int trail_open_segment(struct trail *trail, const struct trail_end *end)
{
	char name[AUDIT_NAME_SIZE];

	audit_segment_name(end->last, name);
	trail->number = end->last;
	trail->size = end->size;
	return open_own(trail->folder, name, O_RDWR | O_APPEND, &trail->fd);
}

/* --- The next segment ----------------------------------------------------------------------------- */

static char *first_line(const struct trail *trail, const struct trail_end *end, const char *name)
{
	char previous[AUDIT_NAME_SIZE] = "";
	json_t *details = json_pack("{s:s}", "segment", name);
	char *line;

	if (end->previous) {
		audit_segment_name(end->previous, previous);
		(void)json_object_set_new(details, "previous", json_string(previous));
	}
	if (end->torn)
		(void)json_object_set_new(details, "torn",
					  json_pack("{s:I, s:s}", "bytes", (json_int_t)end->torn,
						    "hash", end->torn_hash));
	if (trail->headless)
		(void)json_object_set_new(details, "headless", json_true());
	line = audit_line_make(&trail->head, "segment", details);
	json_decref(details);
	return line;
}

/* A file of a name that nobody has. */
static int make_file(const struct trail *trail, __u32 *number, char name[AUDIT_NAME_SIZE],
		     int *ret_fd)
{
	int r = -EEXIST;

	for (unsigned int i = 0; r == -EEXIST && i < TAKEN_MAX; i++) {
		audit_segment_name(*number + i, name);
		r = open_own(trail->folder, name, O_RDWR | O_APPEND | O_CREAT | O_EXCL, ret_fd);
		if (r == 0)
			*number += i;
	}
	return r;
}

int trail_begin_segment(struct trail *trail, const struct trail_end *end)
{
	struct {
		__u32 number;
		off_t size;
		int fd;
	} before = { trail->number, trail->size, trail->fd };
	CLEAN_FREE char *line = NULL;
	char name[AUDIT_NAME_SIZE];
	__u32 number = end->next;
	int fd = -1;
	int r = make_file(trail, &number, name, &fd);

	if (r)
		return r;
	line = first_line(trail, end, name);
	trail->fd = fd;
	trail->size = 0;
	trail->number = number;
	r = line ? protect(trail, fd) : -ENOMEM;
	if (r == 0)
		r = trail_append(trail, line, TRAIL_NOW);
	if (r == 0 && fsync(trail->folder))
		r = -errno;
	if (r == 0) {
		mem_close_fd(&before.fd);
		trail->headless = false;
		return 0;
	}
	(void)unlinkat(trail->folder, name, 0);
	mem_close_fd(&trail->fd);
	trail->fd = before.fd;
	trail->size = before.size;
	trail->number = before.number;
	return r;
}

/* --- Old segments --------------------------------------------------------------------------------- */

/* Its record first: what is gone is never without one. */
static int remove_one(struct trail *trail, __u32 number)
{
	char name[AUDIT_NAME_SIZE];
	struct audit_tail tail = { .head = AUDIT_HEAD_NONE };
	CLEAN_FREE char *line = NULL;
	CLEAN_FD int fd = -1;
	json_t *details;
	int r;

	audit_segment_name(number, name);
	r = open_own(trail->folder, name, O_RDONLY, &fd);
	if (r == 0)
		r = audit_tail_read(fd, &tail);
	if (r)
		return r;
	details = json_pack("{s:s, s:{s:I, s:s}}", "segment", name, "last", "seq",
			    (json_int_t)tail.head.seq, "hash", tail.head.hash);
	line = details ? audit_line_make(&trail->head, "removed", details) : NULL;
	json_decref(details);
	r = line ? trail_append(trail, line, TRAIL_NOW) : -ENOMEM;
	if (r == 0 && unlinkat(trail->folder, name, 0))
		r = -errno;
	if (r == 0 && trail->protect)
		(void)trail->protect(trail->context, fd, false);
	return r;
}

int trail_remove_old(struct trail *trail)
{
	struct audit_segments segments = { 0 };
	int r;

	/* Whoever reads all of it holds it: then later. */
	if (!trail->limits.keep || flock(trail->folder, LOCK_EX | LOCK_NB))
		return 0;
	r = audit_segments_list(trail->folder, &segments);
	for (size_t i = 0; r == 0 && i + trail->limits.keep < segments.count; i++)
		r = remove_one(trail, segments.items[i]);
	audit_segments_reset(&segments);
	if (r == 0 && fsync(trail->folder))
		r = -errno;
	(void)flock(trail->folder, LOCK_UN);
	return r;
}
