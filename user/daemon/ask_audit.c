/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line that was written in part, because the disk is full, is cut off again, so that the next one
 * stands alone.
 */
#include "daemon/ask_audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"

/* A line, as a rule. */
#define LINE_ROOM 8192

#define FILE_FLAGS (O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

/* Whoever may write the folder may put another file there. */
static int open_folder(const char *path)
{
	CLEAN_FD int fd = -1;
	struct stat st;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM;
	return TAKE_FD(fd);
}

static int open_file(const char *folder)
{
	CLEAN_FD int at = open_folder(folder);
	CLEAN_FD int fd = -1;
	struct stat st;

	if (at < 0)
		return at;
	fd = openat(at, AUDIT_FILE, FILE_FLAGS, 0600);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 ||
	    (st.st_mode & 077))
		return -EPERM;
	/* The name, too, is to be there after a crash. */
	if (fsync(at))
		return -errno;
	return TAKE_FD(fd);
}

static int open_protected(struct audit *audit)
{
	CLEAN_FREE char *path = NULL;
	int r = 0;

	mem_close_fd(&audit->fd);
	audit->fd = open_file(audit->folder);
	if (audit->fd < 0) {
		r = audit->fd;
		audit->fd = -1;
		return r;
	}
	if (!audit->protect)
		return 0;
	if (asprintf(&path, "%s/%s", audit->folder, AUDIT_FILE) < 0) {
		path = NULL;
		r = -ENOMEM;
	}
	if (r == 0)
		r = audit->protect(audit->context, path);
	if (r)
		mem_close_fd(&audit->fd);
	return r;
}

int audit_open(struct audit *audit)
{
	audit->error = open_protected(audit);
	return audit->error;
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

void audit_try(struct audit *audit)
{
	if (!audit->error)
		return;
	if (audit_open(audit) == 0)
		audit->error = reserve(audit->fd);
}

/* Is the file still where it was? A rotated one is somebody else's. */
static bool is_there(const struct audit *audit)
{
	CLEAN_FREE char *path = NULL;
	struct stat now;
	struct stat ours;

	if (audit->fd < 0)
		return false;
	if (asprintf(&path, "%s/%s", audit->folder, AUDIT_FILE) < 0) {
		path = NULL;
		return false;
	}
	return lstat(path, &now) == 0 && fstat(audit->fd, &ours) == 0 &&
	       now.st_dev == ours.st_dev && now.st_ino == ours.st_ino;
}

static char *make_line(const char *what, const json_t *details)
{
	struct timespec now = { 0 };
	struct tm parts = { 0 };
	CLEAN_FREE char *text = NULL;
	char date[32] = "";
	char *line = NULL;
	json_t *all;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &parts);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	all = json_pack("{s:s, s:o, s:s}", "schema", AUDIT_SCHEMA, "time",
			json_sprintf("%s.%03ldZ", date, now.tv_nsec / 1000000), "what", what);
	if (all && json_object_update(all, (json_t *)details) == 0)
		text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	return line;
}

static int append(struct audit *audit, const char *line)
{
	ssize_t written;
	off_t end;
	int r = 0;

	if (!is_there(audit))
		r = audit_open(audit);
	if (r)
		return r;
	end = lseek(audit->fd, 0, SEEK_END);
	written = write(audit->fd, line, strlen(line));
	if (written == (ssize_t)strlen(line) && fsync(audit->fd) == 0)
		return 0;
	r = written < 0 || written == (ssize_t)strlen(line) ? -errno : -ENOSPC;
	if (end >= 0)
		(void)!ftruncate(audit->fd, end);
	return r;
}

int audit_write(struct audit *audit, const char *what, const json_t *details)
{
	CLEAN_FREE char *line = make_line(what, details);

	if (!line)
		return -ENOMEM;
	audit->error = append(audit, line);
	return audit->error;
}

void audit_close(struct audit *audit)
{
	mem_close_fd(&audit->fd);
}
