/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growing arrays of the compiler. Knows nothing of what they hold.
 */
#ifndef PICKET_POLICY_GROW_H
#define PICKET_POLICY_GROW_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/**
 * Make room for @need elements of @size bytes in the array whose pointer is at @array (a T ** in
 * disguise) and whose room is *@capacity. Returns 0 or -ENOMEM with the array as it was.
 */
static inline int grow(void *array, size_t *capacity, size_t need, size_t size)
{
	void **pointer = array;
	size_t room = *capacity ? *capacity : 16;
	void *bigger;

	if (need <= *capacity)
		return 0;
	while (room < need)
		room *= 2;
	bigger = reallocarray(*pointer, room, size);
	if (!bigger)
		return -ENOMEM;
	*pointer = bigger;
	*capacity = room;
	return 0;
}

#endif
