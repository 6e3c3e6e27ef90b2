/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing a policy file into memory. Nothing here may hang or grow: what is opened must be a
 * regular file (or, for the file the user named, a pipe), and its size is known or counted first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "policy/load.h"
#include "policy/source.h"

/** Bytes asked for at once. */
#define READ_CHUNK 65536U

__attribute__((format(printf, 3, 4))) static int refuse(int error, char **ret_why,
							const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(ret_why, format, arguments) < 0)
		*ret_why = NULL;
	va_end(arguments);
	return -error;
}

static int refuse_size(unsigned long long size, char **ret_why)
{
	if (size == 0)
		return refuse(EFBIG, ret_why,
			      "it is larger than %u MiB, the most a policy may have",
			      POLICY_FILE_MAX >> 20);
	return refuse(EFBIG, ret_why, "it has %llu bytes, and a policy may have at most %u MiB",
		      size, POLICY_FILE_MAX >> 20);
}

static int open_source(const char *path, enum source_kind kind, int *ret_fd, char **ret_why)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd;

	if (kind == SOURCE_INCLUDE)
		flags |= O_NOFOLLOW;
	fd = open(path, flags);
	if (fd < 0 && errno == ELOOP && kind == SOURCE_INCLUDE)
		return refuse(
			ELOOP, ret_why,
			"it is a symbolic link, and what is included must be the file itself");
	if (fd < 0)
		return refuse(errno, ret_why, "%s", strerror(errno));
	*ret_fd = fd;
	return 0;
}

/* Only what has an end may be read. A pipe of the user's (<(...), /dev/stdin) is waited for. */
static int check_type(int fd, enum source_kind kind, struct stat *ret_status, char **ret_why)
{
	if (fstat(fd, ret_status) < 0)
		return refuse(errno, ret_why, "%s", strerror(errno));
	if (S_ISDIR(ret_status->st_mode))
		return refuse(EISDIR, ret_why, "it is a directory");
	if (S_ISREG(ret_status->st_mode)) {
		if (ret_status->st_size > (off_t)POLICY_FILE_MAX)
			return refuse_size((unsigned long long)ret_status->st_size, ret_why);
		return 0;
	}
	if (!S_ISFIFO(ret_status->st_mode) || kind != SOURCE_MAIN)
		return refuse(EINVAL, ret_why, "it is not a regular file");
	if (fcntl(fd, F_SETFL, O_RDONLY) < 0)
		return refuse(errno, ret_why, "%s", strerror(errno));
	return 0;
}

static int read_all(int fd, char **ret_text, size_t *ret_length, char **ret_why)
{
	CLEAN_FREE char *text = NULL;
	size_t length = 0, room = 0;

	for (;;) {
		ssize_t got;

		if (room - length < READ_CHUNK) {
			char *grown = realloc(text, room * 2 + 2 * READ_CHUNK);

			if (!grown)
				return refuse(ENOMEM, ret_why, "%s", strerror(ENOMEM));
			text = grown;
			room = room * 2 + 2 * READ_CHUNK;
		}
		got = read(fd, text + length, READ_CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return refuse(errno, ret_why, "%s", strerror(errno));
		if (got == 0)
			break;
		length += (size_t)got;
		if (length > POLICY_FILE_MAX)
			return refuse_size(0, ret_why);
	}
	*ret_text = TAKE_PTR(text);
	*ret_length = length;
	return 0;
}

int source_read(const char *path, enum source_kind kind, struct source *ret_source,
		struct source_identity *ret_identity, char **ret_why)
{
	CLEAN_FD int fd = -1;
	struct source source = { .name = path };
	struct stat status = { 0 };
	int r;

	*ret_why = NULL;
	r = open_source(path, kind, &fd, ret_why);
	if (r == 0)
		r = check_type(fd, kind, &status, ret_why);
	if (r == 0)
		r = read_all(fd, &source.owned, &source.length, ret_why);
	if (r < 0)
		return r;
	source.text = source.owned;
	ret_identity->device = status.st_dev;
	ret_identity->inode = status.st_ino;
	*ret_source = source;
	return 0;
}
