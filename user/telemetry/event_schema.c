/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON Schema of records, from the table.
 */
#include "telemetry/event_schema.h"

#include <string.h>

#include "telemetry/event_schema_table.h"

/* Times as records have them. */
#define TIME_PATTERN "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9}Z$"

static json_t *object_schema(const struct event_keys *keys, const struct event_kind *kind);

/* {type: string}, and the words that it can be. */
static json_t *text_schema(const struct event_key *key)
{
	json_t *words;

	if (!key->word)
		return json_pack("{s:s}", "type", "string");
	words = json_array();
	for (unsigned int i = 0; key->word(i); i++)
		(void)json_array_append_new(words, json_string(key->word(i)));
	return json_pack("{s:s, s:o}", "type", "string", "enum", words);
}

static json_t *shape_schema(const struct event_key *key)
{
	switch (key->shape) {
	case SHAPE_ANY_TEXT:
		return text_schema(key);
	case SHAPE_TIME:
		return json_pack("{s:s, s:s}", "type", "string", "pattern", TIME_PATTERN);
	case SHAPE_NUMBER:
		return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
	case SHAPE_TRUTH:
		return json_pack("{s:s}", "type", "boolean");
	case SHAPE_TEXT_OR_NUMBER:
		return json_pack("{s:[o, {s:s, s:i}]}", "anyOf", text_schema(key), "type",
				 "integer", "minimum", 0);
	case SHAPE_TEXTS:
		return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
	case SHAPE_NAMED_TEXTS:
		return json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type",
				 "string");
	case SHAPE_OBJECT:
		return object_schema(key->below, NULL);
	case SHAPE_OBJECTS:
		return json_pack("{s:s, s:o}", "type", "array", "items",
				 object_schema(key->below, NULL));
	}
	return NULL;
}

/* One key; that of the kind is the kind's own word. */
static json_t *key_schema(const struct event_key *key, const struct event_kind *kind)
{
	json_t *schema;

	if (kind && key->word == NULL && strcmp(key->name, "kind") == 0)
		schema = json_pack("{s:s}", "const", kind->kind);
	else
		schema = shape_schema(key);
	(void)json_object_set_new(schema, "description", json_string(key->about));
	return schema;
}

/* An object with these keys; @kind: the record of a kind, or NULL. */
static json_t *object_schema(const struct event_keys *keys, const struct event_kind *kind)
{
	json_t *properties = json_object();
	json_t *required = json_array();

	for (size_t i = 0; i < keys->count; i++) {
		const struct event_key *key = &keys->keys[i];

		(void)json_object_set_new(properties, key->name, key_schema(key, kind));
		if (key->required)
			(void)json_array_append_new(required, json_string(key->name));
	}
	return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "required", required,
			 "properties", properties, "additionalProperties", 0);
}

/* True when nothing is missing for lack of memory: as many keys as the table has. */
static bool is_whole(const json_t *kinds)
{
	for (size_t i = 0; i < event_kind_count; i++) {
		const json_t *kind = json_array_get(kinds, i);

		if (json_object_size(json_object_get(kind, "properties")) !=
		    event_kinds[i].keys->count)
			return false;
	}
	return true;
}

json_t *event_schema(void)
{
	json_t *kinds = json_array();
	json_t *schema;

	for (size_t i = 0; i < event_kind_count; i++) {
		json_t *kind = object_schema(event_kinds[i].keys, &event_kinds[i]);

		(void)json_object_set_new(kind, "title", json_string(event_kinds[i].kind));
		(void)json_object_set_new(kind, "description", json_string(event_kinds[i].about));
		(void)json_array_append_new(kinds, kind);
	}
	schema = json_pack("{s:s, s:s, s:O}", "$schema",
			   "https://json-schema.org/draft/2020-12/schema", "title",
			   "A record of picket, schema picket.event/1", "oneOf", kinds);
	if (!is_whole(kinds)) {
		json_decref(schema);
		schema = NULL;
	}
	json_decref(kinds);
	return schema;
}
