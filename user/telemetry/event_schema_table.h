/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table behind the schema of records: kinds, their keys in order, and what a value may be.
 */
#ifndef PICKET_TELEMETRY_EVENT_SCHEMA_TABLE_H
#define PICKET_TELEMETRY_EVENT_SCHEMA_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/** What a value is. */
enum shape {
	SHAPE_ANY_TEXT,
	SHAPE_TIME, /* RFC 3339, UTC */
	SHAPE_NUMBER, /* an integer, not negative */
	SHAPE_TRUTH,
	SHAPE_TEXT_OR_NUMBER, /* a name, or the number of what has none */
	SHAPE_TEXTS, /* list of texts */
	SHAPE_NAMED_TEXTS, /* object of texts, its keys are data */
	SHAPE_OBJECT, /* `below` */
	SHAPE_OBJECTS /* list of these */
};

/** One key. */
struct event_key {
	const char *name;
	enum shape shape;
	bool required;
	const char *(*word)(
		unsigned int i); /* of a text: the words that it can be; NULL: any text */
	const struct event_keys *below;
	const char *about;
};

/** The keys of an object, in their order. */
struct event_keys {
	const struct event_key *keys;
	size_t count;
};

/** A kind of record; its first keys (schema, time, kind, agent) are in the table too. */
struct event_kind {
	const char *kind;
	const char *about;
	const struct event_keys *keys;
};

/** All kinds. */
extern const struct event_kind event_kinds[];
extern const size_t event_kind_count;

#endif
