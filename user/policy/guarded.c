/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One look at each part of a path, from the top. No part may be a symbolic link, so that what is looked
 * at is what is opened behind it: only those who passed the check could change it in between.
 */
#include "policy/guarded.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/** Permission bits that let others write. */
#define WRITABLE (S_IWGRP | S_IWOTH)

/** A part of a path that is looked at. */
struct part {
	const char *path; /* up to and with the part */
	enum guarded_kind kind;
	bool last;
	uid_t owner;
};

__attribute__((format(printf, 2, 3))) static char *words(const struct part *part,
							 const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	char *whole = NULL;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (!text || part->last)
		return text;
	if (asprintf(&whole, "the folder '%s' above it: %s", part->path, text) < 0)
		whole = NULL;
	free(text);
	return whole;
}

__attribute__((format(printf, 2, 3))) static void remedy(struct guarded_fault *fault,
							 const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&fault->remedy, format, arguments) < 0)
		fault->remedy = NULL;
	va_end(arguments);
}

/* What the part is not allowed to be. */
static int check_kind(const struct part *part, const struct stat *status,
		      struct guarded_fault *ret_fault)
{
	bool right = part->kind == GUARDED_FOLDER ? S_ISDIR(status->st_mode) :
						    S_ISREG(status->st_mode);

	if (right)
		return 0;
	if (S_ISLNK(status->st_mode)) {
		ret_fault->why = words(part, "it is a symbolic link");
		remedy(ret_fault, "put the %s itself there",
		       part->kind == GUARDED_FOLDER ? "folder" : "file");
	} else {
		ret_fault->why = words(part, "it is not a %s",
				       part->kind == GUARDED_FOLDER ? "folder" : "regular file");
	}
	return -EPERM;
}

static int check_part(const struct part *part, struct guarded_fault *ret_fault)
{
	struct stat status;
	int r;

	if (lstat(part->path, &status) < 0) {
		r = -errno;
		ret_fault->why = words(part, "%s", strerror(-r));
		return r;
	}
	r = check_kind(part, &status, ret_fault);
	if (r < 0)
		return r;
	if (status.st_uid != 0 && status.st_uid != part->owner) {
		ret_fault->why = words(part,
				       "it belongs to the user %u, and only root's may be used",
				       status.st_uid);
		remedy(ret_fault, "look through it, then: chown root '%s'", part->path);
		return -EPERM;
	}
	if (!(status.st_mode & WRITABLE) || (!part->last && status.st_mode & S_ISVTX))
		return 0;
	ret_fault->why = words(part, "others than its owner may write it (mode %04o)",
			       status.st_mode & 07777);
	remedy(ret_fault, "look through it, then: chmod go-w '%s'", part->path);
	return -EPERM;
}

/* @path with a '/' at its beginning, malloc'ed, or NULL. */
static char *absolute(const char *path)
{
	CLEAN_FREE char *cwd = NULL;
	char *whole = NULL;

	if (*path == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	if (!cwd || asprintf(&whole, "%s/%s", cwd, path) < 0)
		return NULL;
	return whole;
}

int guarded_check(const char *path, enum guarded_kind kind, uid_t owner,
		  struct guarded_fault *ret_fault)
{
	CLEAN_FREE char *whole = absolute(path);
	struct part part = { .path = "/", .kind = GUARDED_FOLDER, .owner = owner };
	int r;

	*ret_fault = (struct guarded_fault){ 0 };
	if (!whole)
		return errno ? -errno : -ENOMEM;
	r = check_part(&part, ret_fault);
	part.path = whole;
	for (char *at = whole + 1; r == 0 && (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		r = check_part(&part, ret_fault);
		*at = '/';
	}
	if (r < 0)
		return r;
	part.kind = kind;
	part.last = true;
	return check_part(&part, ret_fault);
}

void guarded_fault_reset(struct guarded_fault *fault)
{
	free(fault->why);
	free(fault->remedy);
	*fault = (struct guarded_fault){ 0 };
}
