/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services of this host that look names up, or open connections, for whoever asks over a unix socket:
 * ways around the kernel's look at questions, closed by rules of the section files.
 */
#ifndef PICKET_ENGINE_SIDE_DOORS_H
#define PICKET_ENGINE_SIDE_DOORS_H

#include <stdbool.h>
#include <stddef.h>

/** One socket. */
struct side_door {
	const char *name; /* "nscd" */
	const char *path;
	const char *what; /* what it does for who may connect */
};

/** The known ones. Returns an array of *@ret_count elements that lives for ever. */
const struct side_door *side_doors_all(size_t *ret_count);

/** Is the socket there now? */
bool side_doors_is_open(const struct side_door *door);

#endif
