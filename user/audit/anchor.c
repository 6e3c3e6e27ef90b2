/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds `audit-head` records in what sinks write. It takes any JSON apart: a record is an object with the
 * keys of one, or one whose `attributes` are those, each with a `key` and a `value`.
 */
#include "audit/anchor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define KIND "audit-head"
/* Deeper than any form is. */
#define DEPTH_MAX 24

static int add(struct anchors *anchors, const char *number, const char *hash)
{
	struct audit_head *grown;
	char *end = NULL;
	__u64 seq = number ? strtoull(number, &end, 10) : 0;

	if (!seq || *end || !hash || strlen(hash) != SIGN_HEX - 1)
		return 0;
	grown = reallocarray(anchors->items, anchors->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	anchors->items = grown;
	grown[anchors->count].seq = seq;
	memcpy(grown[anchors->count++].hash, hash, SIGN_HEX);
	return 0;
}

/* The text of a value, a number's too; of OTLP it is one level down. */
static const char *text_of(const json_t *value, char room[32])
{
	static const char *const kinds[] = { "stringValue", "intValue" };

	for (size_t i = 0; i < 2 && json_is_object(value); i++) {
		if (json_object_get(value, kinds[i]))
			value = json_object_get(value, kinds[i]);
	}
	if (!json_is_integer(value))
		return json_string_value(value);
	(void)snprintf(room, 32, "%lld", (long long)json_integer_value(value));
	return room;
}

/* Is @key the attribute @name, whatever its namespace? */
static bool is_named(const char *key, const char *name)
{
	size_t length = key ? strlen(key) : 0;
	size_t wanted = strlen(name);

	return length >= wanted && strcmp(key + length - wanted, name) == 0 &&
	       (length == wanted || key[length - wanted - 1] == '.');
}

static int look_at_attributes(const json_t *list, struct anchors *anchors)
{
	const char *number = NULL;
	const char *hash = NULL;
	const json_t *one;
	bool kind = false;
	char room[32];
	char other[32];
	size_t i;

	json_array_foreach(list, i, one) {
		const char *key = json_string_value(json_object_get(one, "key"));
		const json_t *value = json_object_get(one, "value");
		const char *text = text_of(value, other);

		kind |= is_named(key, "kind") && text && strcmp(text, KIND) == 0;
		if (is_named(key, "number"))
			number = text_of(value, room);
		else if (is_named(key, "hash"))
			hash = text;
	}
	return kind ? add(anchors, number, hash) : 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static int look_at(const json_t *value, unsigned int depth, struct anchors *anchors)
{
	const char *kind = json_string_value(json_object_get(value, "kind"));
	char room[32];
	const char *key;
	json_t *inner;
	size_t i;
	int r = 0;

	if (depth > DEPTH_MAX)
		return 0;
	if (kind && strcmp(kind, KIND) == 0)
		return add(anchors, text_of(json_object_get(value, "number"), room),
			   json_string_value(json_object_get(value, "hash")));
	if (json_is_array(json_object_get(value, "attributes")))
		r = look_at_attributes(json_object_get(value, "attributes"), anchors);
	json_object_foreach((json_t *)value, key, inner) {
		if (r == 0 && (json_is_object(inner) || json_is_array(inner)))
			r = look_at(inner, depth + 1, anchors);
	}
	json_array_foreach(value, i, inner) {
		if (r == 0)
			r = look_at(inner, depth + 1, anchors);
	}
	return r;
}

/* What stands behind @name=" up to the next quote, in @room. */
static const char *parameter(const char *line, const char *name, char *room, size_t size)
{
	char start[24];
	const char *at;
	size_t length;

	(void)snprintf(start, sizeof(start), " %s=\"", name);
	at = strstr(line, start);
	if (!at)
		return NULL;
	at += strlen(start);
	length = strcspn(at, "\"");
	if (length >= size)
		return NULL;
	memcpy(room, at, length);
	room[length] = '\0';
	return room;
}

/* Structured data of RFC 5424. */
static int look_at_syslog(const char *line, struct anchors *anchors)
{
	char kind[16];
	char number[24];
	char hash[SIGN_HEX];

	if (!parameter(line, "kind", kind, sizeof(kind)) || strcmp(kind, KIND) != 0 ||
	    !parameter(line, "number", number, sizeof(number)))
		return 0;
	return add(anchors, number, parameter(line, "hash", hash, sizeof(hash)));
}

static int look_at_line(const char *line, struct anchors *anchors)
{
	const size_t flags = JSON_DISABLE_EOF_CHECK;
	const char *start = strchr(line, '{');
	json_t *value;
	int r;

	/* Most lines are of other things. */
	if (!strstr(line, KIND))
		return 0;
	value = start ? json_loads(start, flags, NULL) : NULL;
	if (!value)
		return look_at_syslog(line, anchors);
	r = look_at(value, 0, anchors);
	json_decref(value);
	return r;
}

int anchors_read(FILE *file, struct anchors *anchors)
{
	CLEAN_FREE char *line = NULL;
	size_t size = 0;
	int r = 0;

	while (r == 0 && getline(&line, &size, file) > 0)
		r = look_at_line(line, anchors);
	return r == 0 && ferror(file) ? -EIO : r;
}

static int compare(const void *a, const void *b)
{
	const struct audit_head *one = a;
	const struct audit_head *other = b;

	if (one->seq != other->seq)
		return one->seq > other->seq ? 1 : -1;
	return strcmp(one->hash, other->hash);
}

void anchors_sort(struct anchors *anchors)
{
	size_t kept = 0;

	if (anchors->count)
		qsort(anchors->items, anchors->count, sizeof(*anchors->items), compare);
	for (size_t i = 0; i < anchors->count; i++) {
		if (!kept || compare(&anchors->items[kept - 1], &anchors->items[i]) != 0)
			anchors->items[kept++] = anchors->items[i];
	}
	anchors->count = kept;
}

void anchors_reset(struct anchors *anchors)
{
	free(anchors->items);
	*anchors = (struct anchors){ 0 };
}
