/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record is read and written whole, under a lock, and takes the place of the old one by rename: it is
 * never seen half. What is doubtful about it refuses every policy, for a lost record would let each old
 * policy come back.
 */
#include "sign/serials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/guarded.h"

#define FIRST_LINE "picket serials 1"
/** A name of a policy, a serial, a digest, blanks, a newline and a NUL. */
#define LINE_SIZE 192

/** What is asked, and where the answer goes. */
struct question {
	const char *path;
	uid_t owner;
	enum serials_use use;
	const struct manifest *manifest;
	char digest[SIGN_HEX];
	char **why;
	const char **hint;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct question *q, int error,
							const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(q->why, format, arguments) < 0)
		*q->why = NULL;
	va_end(arguments);
	return -error;
}

static int missing(const struct question *q)
{
	*q->hint = "as root, begin it: picket verify --accept --key KEY.pub POLICY";
	return refuse(q, ENOENT, "the record of serials '%s' is missing", q->path);
}

/* The record may be read; -ENOENT with nothing said: there is none and it may be begun. */
static int check_guarded(const struct question *q)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	int r = guarded_check(q->path, GUARDED_FILE, q->owner, &fault);

	if (r == 0 || (r == -EACCES && q->use == SERIALS_LOOK))
		return r;
	if (r == -ENOENT)
		return q->use == SERIALS_BEGIN ? r : missing(q);
	return refuse(q, -r, "the record of serials '%s' cannot be used: %s", q->path,
		      fault.why ? fault.why : strerror(-r));
}

/* Compare with what the record has of this policy: *@ret_known when it needs no writing. */
static int compare(const struct question *q, const char *serial, const char *digest,
		   bool *ret_known)
{
	__u64 accepted = strtoull(serial, NULL, 10);
	__u64 offered = q->manifest->serial;

	if (offered < accepted)
		return refuse(q, ESTALE,
			      "its serial %llu is older than %llu, which was accepted before",
			      (unsigned long long)offered, (unsigned long long)accepted);
	if (offered > accepted)
		return 0;
	*ret_known = true;
	if (strcmp(digest, q->digest) == 0)
		return 0;
	*q->hint = "sign it with a higher serial; of two policies, give each a name of its own";
	return refuse(q, ESTALE, "its serial %llu was accepted before for another text of '%s'",
		      (unsigned long long)offered, q->manifest->policy);
}

/* One line of the record, to @to unless it is of this policy. */
static int take_line(const struct question *q, char *line, FILE *to, bool *ret_known)
{
	char name[65];
	char serial[21];
	char digest[SIGN_HEX];
	char end = 0;

	if (sscanf(line, "%64s %20[0-9] %64[0-9a-f]%c", name, serial, digest, &end) != 4 ||
	    end != '\n' || strlen(digest) != SIGN_HEX - 1)
		return -EBADMSG;
	if (strcmp(name, q->manifest->policy) != 0)
		return fputs(line, to) < 0 ? -ENOMEM : 0;
	return compare(q, serial, digest, ret_known);
}

/* Read the record and write what is to take its place to @to. */
static int read_record(const struct question *q, FILE *to, bool *ret_known)
{
	CLEAN_FILE FILE *from = fopen(q->path, "re");
	char line[LINE_SIZE];
	unsigned int number = 1;
	int r = 0;

	if (!from && errno == EACCES && q->use == SERIALS_LOOK)
		return -EACCES;
	if (!from)
		return refuse(q, errno, "cannot read the record of serials '%s': %m", q->path);
	if (!fgets(line, sizeof(line), from) || strcmp(line, FIRST_LINE "\n") != 0)
		r = -EBADMSG;
	while (r == 0 && fgets(line, sizeof(line), from)) {
		number++;
		r = number > SERIALS_MAX + 1 ? -EBADMSG : take_line(q, line, to, ret_known);
	}
	if (r == 0 && ferror(from))
		r = refuse(q, EIO, "cannot read the record of serials '%s'", q->path);
	if (r == -EBADMSG)
		return refuse(q, EBADMSG, "the record of serials '%s' is damaged in line %u",
			      q->path, number);
	return r;
}

/* "FOLDER/" of the record's path. */
static int folder_of(const struct question *q)
{
	return (int)(strrchr(q->path, '/') - q->path);
}

static int write_all(int fd, const char *text, size_t size)
{
	if (fchmod(fd, 0600) < 0)
		return -errno;
	for (size_t done = 0; done < size;) {
		ssize_t put = write(fd, text + done, size - done);

		if (put < 0 && errno != EINTR)
			return -errno;
		done += put > 0 ? (size_t)put : 0;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The file that the next record is written to: ours alone, or made anew. */
static int open_spare(const char *path)
{
	int fd = -1;

	for (unsigned int i = 0; i < 2; i++) {
		struct stat st;

		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    st.st_uid == geteuid() && st.st_nlink == 1)
			return ftruncate(fd, 0) ? -errno : fd;
		mem_close_fd(&fd);
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
	}
	return -EPERM;
}

/*
 * Put @text in the place of the record; it is on the disk when this returns. The two files change places, so
 * that they stay the same two, which picketd protects from agents.
 */
static int replace(const struct question *q, int folder, const char *text, size_t size)
{
	CLEAN_FREE char *spare = NULL;
	CLEAN_FD int fd = -1;
	int r;

	if (asprintf(&spare, "%s" SERIALS_SPARE, q->path) < 0) {
		spare = NULL;
		return -ENOMEM;
	}
	fd = open_spare(spare);
	r = fd < 0 ? fd : write_all(fd, text, size);
	if (r == 0 && renameat2(AT_FDCWD, spare, AT_FDCWD, q->path, RENAME_EXCHANGE) < 0)
		r = -errno;
	/* The first one; or a file system that cannot. */
	if ((r == -ENOENT || r == -EINVAL) && rename(spare, q->path) == 0)
		r = 0;
	if (r == 0 && fsync(folder) < 0)
		r = -errno;
	if (r < 0)
		return refuse(q, -r, "cannot write the record of serials '%s': %s", q->path,
			      strerror(-r));
	return 0;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (const char *at = text ? strchr(text, '\n') : NULL; at; at = strchr(at + 1, '\n'))
		count++;
	return count;
}

/* Add the policy to the lines of the others and make that the record. */
static int record(const struct question *q, int folder, const char *others)
{
	CLEAN_FREE char *text = NULL;
	int size;

	if (count_lines(others) >= SERIALS_MAX) {
		*q->hint = "take out the lines of policies that are no more";
		return refuse(q, ENOSPC, "the record of serials '%s' is full: %d policies", q->path,
			      SERIALS_MAX);
	}
	size = asprintf(&text, FIRST_LINE "\n%s%s %llu %s\n", others ? others : "",
			q->manifest->policy, (unsigned long long)q->manifest->serial, q->digest);

	if (size < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return replace(q, folder, text, (size_t)size);
}

/* The folder of the record, locked against others who write it. */
static int lock_folder(const struct question *q, int *ret_fd)
{
	CLEAN_FREE char *folder = strndup(q->path, (size_t)folder_of(q));
	CLEAN_FD int fd = -1;

	if (!folder)
		return -ENOMEM;
	if (q->use == SERIALS_BEGIN && mkdir(folder, 0700) < 0 && errno != EEXIST)
		return refuse(q, errno, "cannot make the folder '%s': %m", folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return missing(q);
	if (fd < 0 && errno == EACCES && q->use == SERIALS_LOOK)
		return -EACCES;
	if (fd < 0 || flock(fd, q->use == SERIALS_LOOK ? LOCK_SH : LOCK_EX) < 0)
		return refuse(q, errno, "cannot read the folder '%s': %m", folder);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int check_locked(const struct question *q, int folder)
{
	CLEAN_FREE char *others = NULL;
	bool known = false;
	size_t size = 0;
	FILE *to;
	int r = check_guarded(q);

	if (r < 0)
		return r == -ENOENT && q->use == SERIALS_BEGIN ? record(q, folder, NULL) : r;
	to = open_memstream(&others, &size);
	if (!to)
		return -ENOMEM;
	r = read_record(q, to, &known);
	if (text_close(to, &others) < 0)
		return -ENOMEM;
	return r < 0 || known || q->use == SERIALS_LOOK ? r : record(q, folder, others);
}

/* NOLINTNEXTLINE(readability-function-size): a record is a path and an owner, an answer two sentences */
int serials_check(const char *path, uid_t owner, enum serials_use use,
		  const struct manifest *manifest, char **ret_why, const char **ret_hint)
{
	struct question q = { .path = path,
			      .owner = owner,
			      .use = use,
			      .manifest = manifest,
			      .why = ret_why,
			      .hint = ret_hint };
	CLEAN_FD int folder = -1;
	int r = manifest_digest(manifest, q.digest);

	*ret_why = NULL;
	*ret_hint = NULL;
	if (r == 0)
		r = lock_folder(&q, &folder);
	return r < 0 ? r : check_locked(&q, folder);
}
