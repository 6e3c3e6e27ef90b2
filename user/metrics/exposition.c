/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts of others (names, paths of policies) can hold anything: what would end a label is escaped, and
 * bytes that are no UTF-8 or that a terminal obeys too, as everywhere (base/escape.h).
 */
#include "metrics/exposition.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"

/* Up to here all whole numbers can be told apart in a double. */
#define WHOLE_MAX 9007199254740992.0

static FILE *part(struct exposition *page, enum metric metric)
{
	struct exposition_part *part = &page->parts[metric];

	if (!part->to)
		part->to = open_memstream(&part->text, &part->size);
	if (!part->to)
		page->failed = true;
	return part->to;
}

/* A label's value. What is escaped as everywhere has backslashes, which the format doubles. */
static void put_value(FILE *to, const char *text)
{
	CLEAN_FREE char *safe = escape_string(text, strlen(text), 0);

	for (const char *at = safe ? safe : ""; *at; at++) {
		if (*at == '"' || *at == '\\')
			(void)fputc('\\', to);
		(void)fputc(*at, to);
	}
}

static void put_help(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
}

static void put_number(FILE *to, double value)
{
	if (value > -WHOLE_MAX && value < WHOLE_MAX && value == (double)(__s64)value)
		(void)fprintf(to, "%.0f", value);
	else
		(void)fprintf(to, "%.9g", value);
}

void exposition_add(struct exposition *page, enum metric metric, double value, ...)
{
	const struct metric_family *family = &metric_families[metric];
	const char *name = family->labels;
	FILE *to = part(page, metric);
	char before = '{';
	va_list values;

	if (!to)
		return;
	(void)fputs(family->name, to);
	va_start(values, value);
	for (; *name; before = ',') {
		size_t length = strcspn(name, " ");

		(void)fprintf(to, "%c%.*s=\"", before, (int)length, name);
		put_value(to, va_arg(values, const char *));
		(void)fputc('"', to);
		name += length + (name[length] == ' ');
	}
	va_end(values);
	(void)fputs(before == '{' ? " " : "} ", to);
	put_number(to, value);
	(void)fputc('\n', to);
}

/* A sample of one bucket; @bound is its text. */
static void put_bucket(FILE *to, const struct metric_family *family, const char *label,
		       const char *bound)
{
	(void)fprintf(to, "%s_bucket{%s=\"", family->name, family->labels);
	put_value(to, label);
	(void)fprintf(to, "\",le=\"%s\"} ", bound);
}

static void put_whole(FILE *to, const struct metric_family *family, const char *suffix,
		      const char *label)
{
	(void)fprintf(to, "%s_%s{%s=\"", family->name, suffix, family->labels);
	put_value(to, label);
	(void)fputs("\"} ", to);
}

void exposition_add_histogram(struct exposition *page, enum metric metric, const char *label,
			      const struct exposition_histogram *histogram)
{
	const struct metric_family *family = &metric_families[metric];
	FILE *to = part(page, metric);
	__u64 count = 0;
	char bound[32];

	if (!to)
		return;
	for (size_t i = 0; i < histogram->bucket_count; i++) {
		count += histogram->buckets[i].count;
		(void)snprintf(bound, sizeof(bound), "%.9g", histogram->buckets[i].at_most);
		put_bucket(to, family, label, bound);
		(void)fprintf(to, "%llu\n", (unsigned long long)count);
	}
	count += histogram->over;
	put_bucket(to, family, label, "+Inf");
	(void)fprintf(to, "%llu\n", (unsigned long long)count);
	put_whole(to, family, "sum", label);
	put_number(to, histogram->sum);
	(void)fputc('\n', to);
	put_whole(to, family, "count", label);
	(void)fprintf(to, "%llu\n", (unsigned long long)count);
}

static void put_part(FILE *to, const struct metric_family *family, const char *samples)
{
	(void)fprintf(to, "# HELP %s ", family->name);
	put_help(to, family->help);
	(void)fprintf(to, "\n# TYPE %s %s\n%s", family->name, metric_type_name(family->type),
		      samples);
}

int exposition_finish(struct exposition *page, char **ret_text, size_t *ret_length)
{
	CLEAN_FREE char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < METRIC__COUNT; i++) {
		struct exposition_part *part = &page->parts[i];

		if (!part->to)
			continue;
		if (text_close(part->to, &part->text))
			page->failed = true;
		else
			put_part(to, &metric_families[i], part->text);
		part->to = NULL;
	}
	if (text_close(to, &text) || page->failed)
		return -ENOMEM;
	*ret_text = TAKE_PTR(text);
	*ret_length = size;
	return 0;
}

void exposition_reset(struct exposition *page)
{
	for (size_t i = 0; i < METRIC__COUNT; i++) {
		mem_close_file(&page->parts[i].to);
		free(page->parts[i].text);
	}
	*page = (struct exposition){ 0 };
}
