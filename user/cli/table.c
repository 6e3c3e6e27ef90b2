/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cells are kept as text until all are known: only then widths are.
 */
#include "cli/table.h"

#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/mem.h"

/* Takes @cell over. */
static void append(struct table *table, char *cell)
{
	char **cells = reallocarray(table->cells, table->count + 1, sizeof(*cells));

	if (!cells) {
		free(cell);
		table->incomplete = true;
		return;
	}
	table->cells = cells;
	table->cells[table->count++] = cell;
}

void table_put_text(struct table *table, const char *text)
{
	append(table, text && *text ? escape_string(text, strlen(text), 0) : strdup("-"));
}

void table_put_safe(struct table *table, const char *text)
{
	append(table, strdup(text && *text ? text : "-"));
}

void table_put_number(struct table *table, json_int_t number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld", (long long)number);
	table_put_safe(table, text);
}

static bool take_apart(json_int_t seconds, struct tm *ret_time)
{
	time_t when = (time_t)seconds;

	return seconds > 0 && localtime_r(&when, ret_time);
}

void table_put_time(struct table *table, json_int_t seconds)
{
	char text[32];
	struct tm tm;

	if (!take_apart(seconds, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(text, sizeof(text), "-");
	table_put_safe(table, text);
}

void table_put_since(struct table *table, json_int_t seconds)
{
	char text[32] = "-";
	struct tm today;
	struct tm day;

	if (take_apart(seconds, &day) && take_apart(time(NULL), &today))
		(void)strftime(text, sizeof(text),
			       day.tm_year == today.tm_year && day.tm_yday == today.tm_yday ?
				       "%H:%M:%S" :
				       "%Y-%m-%d",
			       &day);
	table_put_safe(table, text);
}

static const char *cell_at(const struct table *table, size_t row, size_t column)
{
	size_t at = row * table->column_count + column;

	return at < table->count && table->cells[at] ? table->cells[at] : "?";
}

/* Bytes of @text that fit, whole characters only. */
static int fitting(const char *text, size_t size, size_t limit)
{
	if (!limit || size <= limit)
		return (int)size;
	while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80)
		limit--;
	return (int)limit;
}

static void print_row(const struct table *table, const char *const *cells, const int *widths,
		      size_t limit, FILE *to)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *line = open_memstream(&text, &size);
	size_t last = table->column_count - 1;

	if (!line)
		return;
	for (size_t i = 0; i <= last; i++) {
		int width = table->columns[i].right ? widths[i] : -widths[i];

		/* No blanks behind the last cell. */
		(void)fprintf(line, "%*s%s", i == last && width < 0 ? 0 : width, cells[i],
			      i == last ? "" : "  ");
	}
	if (fclose(line) != 0)
		return;
	(void)fprintf(to, "%.*s\n", fitting(text, size, limit), text);
}

void table_print(const struct table *table, size_t width, FILE *to)
{
	const char *cells[TABLE_COLUMNS_MAX] = { 0 };
	int widths[TABLE_COLUMNS_MAX] = { 0 };
	size_t rows = table->count / table->column_count;

	for (size_t i = 0; i < table->column_count; i++) {
		cells[i] = table->columns[i].title;
		widths[i] = (int)strlen(cells[i]);
		for (size_t row = 0; row < rows; row++) {
			int length = (int)strlen(cell_at(table, row, i));

			widths[i] = widths[i] < length ? length : widths[i];
		}
	}
	print_row(table, cells, widths, width, to);
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = 0; i < table->column_count; i++)
			cells[i] = cell_at(table, row, i);
		print_row(table, cells, widths, width, to);
	}
	if (table->incomplete)
		(void)fputs("(out of memory: rows are missing)\n", to);
}

void table_reset(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->count = 0;
	table->incomplete = false;
}
