/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a record and building another object from it. What is absent or of another type reads as
 * nothing, and nothing is built from nothing: renderers name each key once and need no conditions.
 */
#ifndef PICKET_FORMAT_VALUE_H
#define PICKET_FORMAT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/** The text of a key, or NULL. */
const char *value_text(const json_t *object, const char *key);

/** The object of a key, or NULL. */
const json_t *value_object(const json_t *object, const char *key);

/** The list of a key, or NULL. */
const json_t *value_list(const json_t *object, const char *key);

/** Store the integer of a key; false when there is none. */
bool value_number(const json_t *object, const char *key, json_int_t *ret);

/** True when the key is true. */
bool value_true(const json_t *object, const char *key);

/** True when the key is this text. */
bool value_is(const json_t *object, const char *key, const char *text);

/** Store nanoseconds since the epoch of a key in RFC 3339, UTC; false when it is none of these. */
bool value_time(const json_t *object, const char *key, int64_t *ret_ns);

/** Bytes for value_words(). */
#define VALUE_NUMBER_SIZE 24

/** The text of a key, or its integer as text in @number; or NULL. */
const char *value_words(const json_t *object, const char *key,
			char number[static VALUE_NUMBER_SIZE]);

/** True when @event can be rendered: an object with a text `kind`. */
bool value_is_record(const json_t *event);

/** What was denied, or would be in audit mode, or waits: not allowed at once. */
bool value_denied(const json_t *event);

/** How much a record matters. */
enum level {
	LEVEL_INFO, /* what went as it should */
	LEVEL_NOTICE, /* answers, changes of policy, what audit mode would have refused */
	LEVEL_WARNING, /* denied, or waiting */
	LEVEL_ERROR, /* records were lost, or picket itself was tried to be reached */
	LEVEL__MAX
};

/** The level of a record. */
enum level value_level(const json_t *event);

/** Bytes for the texts of value_trace(). */
#define VALUE_TRACE_SIZE 33
#define VALUE_SPAN_SIZE 17

/** Where a record belongs in a distributed trace, in hexadecimal; "" where it is not known. */
struct value_trace {
	char trace[VALUE_TRACE_SIZE];
	char span[VALUE_SPAN_SIZE];
	unsigned int flags; /* of W3C Trace Context */
};

/** What the context of the record says of its trace; only well-formed ids are taken. */
struct value_trace value_trace(const json_t *event);

/** An object under construction, and whether memory ran out meanwhile. */
struct build {
	bool failed;
};

/** Add @value, which is taken; NULL is lack of memory. */
void build_value(struct build *build, json_t *to, const char *key, json_t *value);

/** Add a text; nothing when it is NULL. */
void build_text(struct build *build, json_t *to, const char *key, const char *text);

/** Add a number. */
void build_number(struct build *build, json_t *to, const char *key, json_int_t number);

/** Add a copy of key @from of @object under the name @key, when it is there. */
void build_copy(struct build *build, json_t *to, const char *key, const json_t *object,
		const char *from);

/** The same when it is a text, when it is an integer. */
void build_copy_text(struct build *build, json_t *to, const char *key, const json_t *object,
		     const char *from);
void build_copy_number(struct build *build, json_t *to, const char *key, const json_t *object,
		       const char *from);

/** The same: a number is written as text. */
void build_copy_words(struct build *build, json_t *to, const char *key, const json_t *object,
		      const char *from);

/** The object below @key, made if it is not there; NULL when out of memory. */
json_t *build_below(struct build *build, json_t *to, const char *key);

/** Append a text to a list. */
void build_append(struct build *build, json_t *list, json_t *value);

#endif
