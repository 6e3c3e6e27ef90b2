/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table for people: a heading, rows of cells, columns as wide as their widest cell.
 */
#ifndef PICKET_CLI_TABLE_H
#define PICKET_CLI_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16

/** One column. The cells come row by row. */
struct table_column {
	const char *title;
	bool right; /* numbers stand to the right */
};

/** Cells so far. Zero-initialise but for the columns. */
struct table {
	const struct table_column *columns; /* borrowed */
	size_t column_count; /* TABLE_COLUMNS_MAX at most */
	char **cells; /* owned; NULL among them: out of memory, shown as "?" */
	size_t count;
	bool incomplete; /* out of memory: cells are missing */
};

/** Append a cell: @text made safe for terminals, "-" when empty or NULL. */
void table_put_text(struct table *table, const char *text);

/** Append a cell of text that is safe already. */
void table_put_safe(struct table *table, const char *text);

/** Append a cell with a number. */
void table_put_number(struct table *table, json_int_t number);

/** Append a cell with a local point in time, of seconds since 1970; 0 = "-". */
void table_put_time(struct table *table, json_int_t seconds);

/** Append a cell with a local point in time in the past: of today the time, else the day; 0 = "-". */
void table_put_since(struct table *table, json_int_t seconds);

/** Write heading and rows, no line longer than @width bytes (0 = as long as it is). */
void table_print(const struct table *table, size_t width, FILE *to);

/** Free the cells and make it empty again; the columns stay. */
void table_reset(struct table *table);

#endif
