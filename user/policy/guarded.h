/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that others depend on: nobody but their owner may have put them there or changed them. What is
 * asked of a file is asked of every folder above it too, for who may rename those puts another file in
 * its place.
 */
#ifndef PICKET_POLICY_GUARDED_H
#define PICKET_POLICY_GUARDED_H

#include <sys/types.h>

/** What a path must be. */
enum guarded_kind {
	GUARDED_FILE, /* a regular file */
	GUARDED_FOLDER, /* a folder that only its owner adds files to */
};

/** What is wrong with a path, in words; guarded_fault_reset() frees. */
struct guarded_fault {
	char *why; /* the end of "cannot read 'PATH': ..." */
	char *remedy; /* or NULL */
};

/**
 * Check that @path is a @kind, no symbolic link, and that it and the folders above it belong to root or
 * @owner and are writable by nobody else (folders above it also when they are sticky, as /tmp is).
 * Returns 0; -ENOENT when there is nothing; -EPERM for what must not be; another -errno. What is wrong is
 * told in *@ret_fault unless memory is short.
 */
int guarded_check(const char *path, enum guarded_kind kind, uid_t owner,
		  struct guarded_fault *ret_fault);

/** Free the words. */
void guarded_fault_reset(struct guarded_fault *fault);

#endif
