/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ownership: cleanup attributes for locals and TAKE_* to hand a value on. Nothing else.
 */
#ifndef PICKET_BASE_MEM_H
#define PICKET_BASE_MEM_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** Free @p's pointer (a void ** in disguise) and reset it to NULL. */
static inline void mem_free_ptr(void *p)
{
	void **ptr = p;

	free(*ptr);
	*ptr = NULL;
}

/** Close *@fd if it is open (>= 0) and reset it to -1. */
static inline void mem_close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/** Close *@file if it is open and reset it to NULL. */
static inline void mem_close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
	*file = NULL;
}

/** A local pointer that is freed, a local descriptor or stream that is closed, at end of scope. */
#define CLEAN_FREE __attribute__((cleanup(mem_free_ptr)))
#define CLEAN_FD __attribute__((cleanup(mem_close_fd)))
#define CLEAN_FILE __attribute__((cleanup(mem_close_file)))
/** A local cleaned by a module's own function. */
#define CLEAN(fn) __attribute__((cleanup(fn)))

/** Give the value away: yields it and leaves the sentinel behind. */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

#endif
