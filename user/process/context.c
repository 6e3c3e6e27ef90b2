/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading of variables. Of two with the same name the first counts, as for getenv().
 */
#include "process/context.h"

#include <string.h>

/* 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 */
#define PARENT_AT 36
#define PARENT_LENGTH 16
#define FLAGS_AT 53

static bool is_hex(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!strchr("0123456789abcdef", text[i]) || !text[i])
			return false;
	}
	return true;
}

static bool is_zero(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '0')
			return false;
	}
	return true;
}

bool context_trace_valid(const char *text, size_t length)
{
	if (length < CONTEXT_TRACE_LENGTH)
		return false;
	if (!is_hex(text, 2) || memcmp(text, "ff", 2) == 0 || text[2] != '-' ||
	    !is_hex(text + CONTEXT_TRACE_ID_AT, CONTEXT_TRACE_ID_LENGTH) ||
	    is_zero(text + CONTEXT_TRACE_ID_AT, CONTEXT_TRACE_ID_LENGTH) ||
	    text[PARENT_AT - 1] != '-' || !is_hex(text + PARENT_AT, PARENT_LENGTH) ||
	    is_zero(text + PARENT_AT, PARENT_LENGTH) || text[FLAGS_AT - 1] != '-' ||
	    !is_hex(text + FLAGS_AT, 2))
		return false;
	if (length == CONTEXT_TRACE_LENGTH)
		return true;
	return !is_zero(text, 2) && text[CONTEXT_TRACE_LENGTH] == '-';
}

static bool is_one_of(const char *name, size_t length, const char *const *names)
{
	for (; *names; names++) {
		if (strlen(*names) == length && memcmp(*names, name, length) == 0)
			return true;
	}
	return false;
}

bool context_is_tag(const char *name, size_t length)
{
	static const char prefix[] = "PICKET_TAG_";
	static const char *const names[] = { "PICKET_SESSION", "PICKET_TASK", NULL };

	return is_one_of(name, length, names) ||
	       (length >= sizeof(prefix) && memcmp(name, prefix, sizeof(prefix) - 1) == 0);
}

bool context_is_known(const char *name, size_t length)
{
	static const char *const names[] = { "TRACEPARENT", "PICKET_TOOL", "PICKET_CALL_ID",
					     "PICKET_INTENT", NULL };

	return is_one_of(name, length, names) || context_is_tag(name, length);
}

bool context_next(const char *text, size_t size, size_t *at, struct context_variable *ret_variable)
{
	while (*at < size) {
		const char *name = text + *at;
		const char *end = memchr(name, '\0', size - *at);
		const char *equals;

		if (!end)
			return false;
		*at += (size_t)(end - name) + 1;
		equals = memchr(name, '=', (size_t)(end - name));
		if (!equals || equals == name)
			continue;
		*ret_variable = (struct context_variable){
			.name = name,
			.name_length = (size_t)(equals - name),
			.value = equals + 1,
			.value_length = (size_t)(end - equals) - 1,
		};
		return true;
	}
	return false;
}

bool context_find_named(const char *text, size_t size, const struct context_variable *like,
			struct context_variable *ret_variable)
{
	struct context_variable one;
	size_t at = 0;

	while (context_next(text, size, &at, &one)) {
		if (one.name_length == like->name_length &&
		    memcmp(one.name, like->name, one.name_length) == 0) {
			*ret_variable = one;
			return true;
		}
	}
	return false;
}

bool context_find(const char *text, size_t size, const char *name,
		  struct context_variable *ret_variable)
{
	const struct context_variable like = { .name = name, .name_length = strlen(name) };

	return context_find_named(text, size, &like, ret_variable);
}
