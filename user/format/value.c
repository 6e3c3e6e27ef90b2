/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading of records and building of objects: what is of the wrong type is not there.
 */
#include "format/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *value_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

const json_t *value_object(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_object(value) ? value : NULL;
}

const json_t *value_list(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_array(value) ? value : NULL;
}

bool value_number(const json_t *object, const char *key, json_int_t *ret)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		return false;
	*ret = json_integer_value(value);
	return true;
}

bool value_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

bool value_is(const json_t *object, const char *key, const char *text)
{
	const char *value = value_text(object, key);

	return value && strcmp(value, text) == 0;
}

/* The fraction of a second behind @at, in nanoseconds; moves @at behind it. */
static int64_t fraction(const char **at)
{
	int64_t unit = 100000000;
	int64_t ns = 0;

	if (**at != '.')
		return 0;
	for ((*at)++; **at >= '0' && **at <= '9'; (*at)++) {
		ns += (**at - '0') * unit;
		unit /= 10;
	}
	return ns;
}

bool value_time(const json_t *object, const char *key, int64_t *ret_ns)
{
	const char *text = value_text(object, key);
	struct tm parts = { 0 };
	const char *at = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
	int64_t ns;
	time_t seconds;

	if (!at)
		return false;
	ns = fraction(&at);
	seconds = timegm(&parts);
	/* Years that nanoseconds in 64 bits cannot hold are no times. */
	if (strcmp(at, "Z") != 0 || seconds < 0 || seconds > INT64_MAX / 1000000000 - 1)
		return false;
	*ret_ns = (int64_t)seconds * 1000000000 + ns;
	return true;
}

const char *value_words(const json_t *object, const char *key,
			char number[static VALUE_NUMBER_SIZE])
{
	json_int_t value;

	if (!value_number(object, key, &value))
		return value_text(object, key);
	(void)snprintf(number, VALUE_NUMBER_SIZE, "%" JSON_INTEGER_FORMAT, value);
	return number;
}

bool value_is_record(const json_t *event)
{
	return json_is_object(event) && value_text(event, "kind");
}

bool value_denied(const json_t *event)
{
	return value_is(event, "kind", "decision") && !value_is(event, "verdict", "allow");
}

enum level value_level(const json_t *event)
{
	static const char *const grave[] = { "self", "cgroup" };

	if (value_is(event, "kind", "loss"))
		return LEVEL_ERROR;
	if (value_is(event, "kind", "answer") || value_is(event, "kind", "policy") ||
	    value_is(event, "reason", "granted"))
		return LEVEL_NOTICE;
	if (!value_denied(event))
		return LEVEL_INFO;
	for (size_t i = 0; i < sizeof(grave) / sizeof(*grave); i++) {
		if (value_is(event, "reason", grave[i]))
			return LEVEL_ERROR;
	}
	return value_true(event, "audit") ? LEVEL_NOTICE : LEVEL_WARNING;
}

/* @count lower-case hexadecimal digits that are not all zero, the form of ids. */
static bool is_id(const char *text, size_t count)
{
	return strspn(text, "0123456789abcdef") >= count && strspn(text, "0") < count;
}

struct value_trace value_trace(const json_t *event)
{
	const json_t *context = value_object(event, "context");
	const char *parent = value_text(context, "traceparent");
	const char *id = value_text(context, "trace_id");
	struct value_trace trace = { 0 };

	if (id && strlen(id) == VALUE_TRACE_SIZE - 1 && is_id(id, VALUE_TRACE_SIZE - 1))
		memcpy(trace.trace, id, VALUE_TRACE_SIZE);
	/* 00-TRACE-SPAN-FLAGS */
	if (!parent || strlen(parent) < 55 || !is_id(parent + 3, 32) || !is_id(parent + 36, 16))
		return trace;
	memcpy(trace.trace, parent + 3, VALUE_TRACE_SIZE - 1);
	memcpy(trace.span, parent + 36, VALUE_SPAN_SIZE - 1);
	(void)sscanf(parent + 53, "%2x", &trace.flags); /* NOLINT(cert-err34-c): two digits fit */
	return trace;
}

void build_value(struct build *build, json_t *to, const char *key, json_t *value)
{
	if (json_object_set_new(to, key, value) < 0)
		build->failed = true;
}

void build_text(struct build *build, json_t *to, const char *key, const char *text)
{
	if (text)
		build_value(build, to, key, json_string(text));
}

void build_number(struct build *build, json_t *to, const char *key, json_int_t number)
{
	build_value(build, to, key, json_integer(number));
}

void build_copy(struct build *build, json_t *to, const char *key, const json_t *object,
		const char *from)
{
	const json_t *value = json_object_get(object, from);

	if (value)
		build_value(build, to, key, json_deep_copy(value));
}

void build_copy_text(struct build *build, json_t *to, const char *key, const json_t *object,
		     const char *from)
{
	build_text(build, to, key, value_text(object, from));
}

void build_copy_number(struct build *build, json_t *to, const char *key, const json_t *object,
		       const char *from)
{
	json_int_t number;

	if (value_number(object, from, &number))
		build_number(build, to, key, number);
}

void build_copy_words(struct build *build, json_t *to, const char *key, const json_t *object,
		      const char *from)
{
	char number[VALUE_NUMBER_SIZE];

	build_text(build, to, key, value_words(object, from, number));
}

json_t *build_below(struct build *build, json_t *to, const char *key)
{
	json_t *below = json_object_get(to, key);

	if (json_is_object(below))
		return below;
	build_value(build, to, key, json_object());
	return json_object_get(to, key);
}

void build_append(struct build *build, json_t *list, json_t *value)
{
	if (json_array_append_new(list, value) < 0)
		build->failed = true;
}
