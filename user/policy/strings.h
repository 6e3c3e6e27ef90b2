/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image's strings part while it is built: NUL-terminated texts, each stored once; offset 0 is
 * the empty text.
 */
#ifndef PICKET_POLICY_STRINGS_H
#define PICKET_POLICY_STRINGS_H

#include <stddef.h>

#include <linux/types.h>

/** Zero-initialise, then strings_add(). */
struct strings {
	char *bytes; /* the part */
	size_t size, room;
	__u32 *offsets; /* hash table, 0 = free */
	size_t count, table_room;
};

/** The offset of @text (NULL: the empty text), added if it is new. 0 or -ENOMEM, -E2BIG. */
int strings_add(struct strings *strings, const char *text, __u32 *ret_offset);

/** Free everything and zero @strings. */
void strings_reset(struct strings *strings);

#endif
