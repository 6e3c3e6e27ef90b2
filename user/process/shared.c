/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counted references to bytes.
 */
#include "process/shared.h"

#include <stdlib.h>
#include <string.h>

struct shared *shared_new(const char *bytes, size_t length, __u32 owner)
{
	struct shared *shared = malloc(sizeof(*shared) + length + 1);

	if (!shared)
		return NULL;
	*shared = (struct shared){ .refs = 1, .owner = owner, .length = length };
	memcpy(shared->bytes, bytes, length);
	shared->bytes[length] = '\0';
	return shared;
}

struct shared *shared_ref(struct shared *shared)
{
	if (shared)
		shared->refs++;
	return shared;
}

size_t shared_unref(struct shared **shared)
{
	struct shared *one = *shared;
	size_t size = 0;

	*shared = NULL;
	if (one && --one->refs == 0) {
		size = shared_size(one);
		free(one);
	}
	return size;
}

size_t shared_size(const struct shared *shared)
{
	return shared ? sizeof(*shared) + shared->length + 1 : 0;
}

bool shared_is(const struct shared *shared, const char *bytes, size_t length)
{
	if (!shared)
		return length == 0;
	return shared->length == length && memcmp(shared->bytes, bytes, length) == 0;
}
