/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that several processes have in common, because a child begins as its parent is: counted by
 * references, never changed.
 */
#ifndef PICKET_PROCESS_SHARED_H
#define PICKET_PROCESS_SHARED_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/** The bytes. */
struct shared {
	unsigned int refs;
	__u32 owner; /* slot of the agent that they are counted for */
	size_t length;
	char bytes[]; /* any, and a NUL behind that is not counted */
};

/** A copy of @length bytes (the caller's reference), or NULL: no memory. */
struct shared *shared_new(const char *bytes, size_t length, __u32 owner);

/** One more reference; accepts NULL. Returns @shared. */
struct shared *shared_ref(struct shared *shared);

/** Give a reference back; accepts NULL; resets the pointer. Returns the bytes of memory that it freed. */
size_t shared_unref(struct shared **shared);

/** Bytes of memory that it takes; 0 for NULL. */
size_t shared_size(const struct shared *shared);

/** True when it is these bytes; NULL is no bytes. */
bool shared_is(const struct shared *shared, const char *bytes, size_t length);

#endif
