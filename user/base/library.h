/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Libraries that few processes need, loaded by those: a command that does without libcurl starts without the
 * thirty libraries that it brings.
 */
#ifndef PICKET_BASE_LIBRARY_H
#define PICKET_BASE_LIBRARY_H

#include <stddef.h>

/** A function of a library, and where its address goes. */
struct library_function {
	const char *name;
	size_t offset; /* in the caller's table, of a pointer to it */
};

/** A library as it is known to the loader. */
struct library {
	const char *file; /* "libcurl.so.4" */
	const struct library_function *functions;
	size_t count;
};

/** A row of functions: the member of the table @table that is called as the library's own name is. */
#define LIBRARY_FUNCTION(table, function)                                                          \
	{                                                                                          \
#function, offsetof(table, function)                                               \
	}

/**
 * Load it, for as long as the process lives, and write the addresses to @table. Returns 0; or -ELIBACC with
 * a sentence in @error of @size bytes: it is not installed, or is another one.
 */
int library_load(const struct library *library, void *table, char *error, size_t size);

#endif
