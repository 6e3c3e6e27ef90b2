/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the language's reference (policies/README.md) says of each key, made at build time from its
 * tables: one text for readers of the page and for those whose editor shows it.
 */
#ifndef PICKET_AUTHOR_REFERENCE_H
#define PICKET_AUTHOR_REFERENCE_H

#include <stddef.h>

/** A row of a table of keys. */
struct reference_row {
	const char *heading; /* that the table stands under */
	const char *key;
	const char *text; /* plain, without a full stop */
};

/** All rows in the order of the page. */
extern const struct reference_row reference_rows[];
extern const size_t reference_row_count;

#endif
