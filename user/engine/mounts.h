/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where file systems are mounted, read from the text of /proc/self/mountinfo. It knows the format of
 * that text and nothing of the file systems.
 */
#ifndef PICKET_ENGINE_MOUNTS_H
#define PICKET_ENGINE_MOUNTS_H

#include <stdbool.h>
#include <stdio.h>

/** One place where a file system is mounted. */
struct mount_place {
	char *point; /* owned; the mount point, escapes of mountinfo undone */
	bool writable; /* mounted read-write */
	bool whole; /* the root of the file system, not a directory of it, is mounted there */
};

/**
 * Find the best mount of file system @type in @mountinfo: a writable one before a read-only one,
 * the whole file system before a part, else the first. Stores it (caller frees with
 * mount_place_reset()). Returns 0, -ENOENT (not mounted), -ENOMEM, or -EIO (cannot be read).
 */
int mounts_find(FILE *mountinfo, const char *type, struct mount_place *ret_place);

/** The same for this process's own mounts; also the error of opening /proc/self/mountinfo. */
int mounts_find_own(const char *type, struct mount_place *ret_place);

/** Free what *@place owns and make it empty. */
void mount_place_reset(struct mount_place *place);

#endif
