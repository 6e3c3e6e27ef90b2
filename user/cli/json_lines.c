/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What picketd tells grows with time; this shows all of it without knowing any. Depth is bounded.
 */
#include "cli/json_lines.h"

#include <string.h>

#include "base/escape.h"

#define NAME_SIZE 256
#define WIDTH 28

struct printer {
	const char *indent;
	FILE *to;
	char name[NAME_SIZE]; /* of the value being printed */
};

static void print_plain(const struct printer *printer, const json_t *value)
{
	(void)fprintf(printer->to, "%s%-*s ", printer->indent, WIDTH, printer->name);
	if (json_is_string(value))
		escape_write(printer->to, json_string_value(value), json_string_length(value), 0);
	else if (json_is_integer(value))
		(void)fprintf(printer->to, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		(void)fprintf(printer->to, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		(void)fputs(json_is_true(value) ? "yes" : "no", printer->to);
	else
		(void)fputs("-", printer->to);
	(void)fputs("\n", printer->to);
}

static void print_value(struct printer *printer, const json_t *value);

/* Print @value as the member @key of what is being printed. */
static void print_member(struct printer *printer, const char *key, const json_t *value)
{
	size_t length = strlen(printer->name);
	int n = snprintf(printer->name + length, NAME_SIZE - length, "%s%s", length ? "." : "",
			 key);

	/* A name that is too long stands for nothing that picketd tells. */
	if (n > 0 && (size_t)n < NAME_SIZE - length)
		print_value(printer, value);
	printer->name[length] = '\0';
}

/* The names bound the depth. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void print_value(struct printer *printer, const json_t *value)
{
	json_t *object = (json_t *)value; /* reading it changes nothing */
	char number[24];
	json_t *item;
	size_t i;

	if (json_is_object(value)) {
		for (void *at = json_object_iter(object); at;
		     at = json_object_iter_next(object, at))
			print_member(printer, json_object_iter_key(at), json_object_iter_value(at));
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item) {
			(void)snprintf(number, sizeof(number), "%zu", i + 1);
			print_member(printer, number, item);
		}
	} else {
		print_plain(printer, value);
	}
}

void json_lines_print(const json_t *value, const char *indent, FILE *to)
{
	struct printer printer = { .indent = indent, .to = to };

	print_value(&printer, value);
}
