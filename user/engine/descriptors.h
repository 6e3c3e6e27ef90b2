/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which open descriptors go on to another process, and which end here.
 */
#ifndef PICKET_ENGINE_DESCRIPTORS_H
#define PICKET_ENGINE_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

/** Numbers of descriptors, ascending. descriptors_reset() frees. */
struct descriptors {
	int *fds; /* owned */
	size_t count;
};

/**
 * Find what a program may inherit besides the standard three: pipes and FIFOs that are not marked
 * close-on-exec (make passes its job tokens so), or with @all whatever is not so marked. Returns 0
 * (caller resets) or -errno.
 */
int descriptors_find(bool all, struct descriptors *ret_keep);

/**
 * Mark every descriptor from 3 on close-on-exec, or with @now close it, except those in @keep. Makes
 * no other system call. Returns 0 or -errno.
 */
int descriptors_close_others(const struct descriptors *keep, bool now);

/** Add one number. Returns 0 or -ENOMEM. */
int descriptors_add(struct descriptors *keep, int fd);

/** Free the list and make it empty. */
void descriptors_reset(struct descriptors *keep);

#endif
