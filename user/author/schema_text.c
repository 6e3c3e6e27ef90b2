/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk over the tables. Every text may look like a number or a truth value to an editor, for YAML
 * without quotes does (`name: 010`, `id: 1e3`), so all of these are texts here.
 */
#include "author/schema_text.h"

#include <stdlib.h>
#include <string.h>

#include "author/reference.h"
#include "policy/sections.h"

/** Kinds of maps whose heading in the reference is not the last word of what they are called. */
static const char *const headings[][2] = {
	{ "a policy", "Top-level keys" },
	{ "the section egress", "Sections" },
	{ "the section listen", "Sections" },
	{ "the section files", "Sections" },
	{ "the section exec", "Sections" },
	{ "the section unix", "Sections" },
	{ "a rule of egress", "Rules" },
	{ "a rule of listen", "Rules" },
	{ "a rule of files", "Rules" },
	{ "a rule of exec", "Rules" },
	{ "a rule of unix", "Rules" },
	{ "the key tls", "First bytes" },
	{ "a test", "tests" },
};

/* The last word of @what without quotes, as "approvals" of "the key approvals"; compared in place. */
static bool is_last_word(const char *what, const char *heading)
{
	const char *word = strrchr(what, ' ');
	size_t length = strlen(heading);

	word = word ? word + 1 : what;
	word += *word == '\'';
	return strncmp(word, heading, length) == 0 &&
	       (word[length] == '\0' || word[length] == '\'');
}

static bool is_under(const struct schema *schema, const char *heading)
{
	for (size_t i = 0; i < sizeof(headings) / sizeof(*headings); i++) {
		if (strcmp(headings[i][0], schema->what) == 0)
			return strcmp(headings[i][1], heading) == 0;
	}
	return is_last_word(schema->what, heading);
}

const char *schema_text_about(const struct schema *schema, const char *key)
{
	for (size_t i = 0; i < reference_row_count; i++) {
		if (strcmp(reference_rows[i].key, key) == 0 &&
		    is_under(schema, reference_rows[i].heading))
			return reference_rows[i].text;
	}
	return NULL;
}

/* All words of a closed set, numbers also as numbers. */
static json_t *words(const struct front_words *set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->count; i++) {
		const char *word = set->words[i].word;
		char *end = NULL;
		long number = strtol(word, &end, 10);

		(void)json_array_append_new(list, json_string(word));
		if (end != word && !*end)
			(void)json_array_append_new(list, json_integer(number));
	}
	return json_pack("{s:o}", "enum", list);
}

static json_t *text(const struct front_words *set, const char *form)
{
	json_t *schema;

	if (set)
		return words(set);
	schema = json_pack("{s:[sss]}", "type", "string", "number", "boolean");
	if (form)
		(void)json_object_set_new(schema, "pattern", json_string(form));
	return schema;
}

static json_t *map(const struct schema *schema);

static json_t *list(const struct schema_key *row)
{
	json_t *items;

	if (row->below)
		items = map(row->below);
	else if (row->elements)
		items = text(NULL, row->elements);
	else
		items = text(row->words, row->form);
	return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

/* A map whose keys are names that the policy makes up. */
static json_t *free_map(const struct schema_key *row)
{
	return json_pack("{s:s, s:{s:s}, s:o}", "type", "object", "propertyNames", "pattern",
			 row->form ? row->form : "", "additionalProperties", text(NULL, NULL));
}

static json_t *value(const struct schema *schema, const struct schema_key *row)
{
	const char *about = schema_text_about(schema, row->name);
	json_t *shapes = json_array();
	json_t *result;

	if (row->shapes & SHAPE_TEXT)
		(void)json_array_append_new(shapes, text(row->words, row->form));
	if (row->shapes & SHAPE_LIST)
		(void)json_array_append_new(shapes, list(row));
	if (row->shapes & SHAPE_MAP)
		(void)json_array_append_new(shapes, row->below ? map(row->below) : free_map(row));
	if (json_array_size(shapes) == 1)
		result = json_incref(json_array_get(shapes, 0));
	else
		result = json_pack("{s:O}", "anyOf", shapes);
	json_decref(shapes);
	(void)json_object_set_new(result, "description",
				  json_string(about ? about : row->expected));
	return result;
}

/* Of the keys with the flag exactly one, as [{"required": [KEY]}, ...]; NULL when none has it. */
static json_t *one_of(const struct schema *schema)
{
	json_t *choices = NULL;

	for (size_t i = 0; i < schema->count; i++) {
		if (!(schema->keys[i].flags & SCHEMA_ONE_OF))
			continue;
		if (!choices)
			choices = json_array();
		(void)json_array_append_new(choices,
					    json_pack("{s:[s]}", "required", schema->keys[i].name));
	}
	return choices;
}

/* The depth of the recursion is that of the tables. */
static json_t *map(const struct schema *schema)
{
	json_t *properties = json_object();
	json_t *required = json_array();
	json_t *choices = one_of(schema);
	json_t *result;

	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_key *row = &schema->keys[i];

		(void)json_object_set_new(properties, row->name, value(schema, row));
		if (row->flags & (SCHEMA_REQUIRED | SCHEMA_REQUIRED_MAIN))
			(void)json_array_append_new(required, json_string(row->name));
	}
	result = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
			   "additionalProperties", 0);
	if (json_array_size(required) > 0)
		(void)json_object_set(result, "required", required);
	json_decref(required);
	if (choices)
		(void)json_object_set_new(result, "oneOf", choices);
	return result;
}

json_t *schema_text_policy(void)
{
	json_t *root = json_pack("{s:s, s:s, s:s}", "$schema",
				 "https://json-schema.org/draft/2020-12/schema", "title",
				 "picket policy", "description",
				 "What a program, and everything it starts, may reach and do");
	json_t *policy = map(&sections_schema);

	if (!root || !policy || json_object_update(root, policy) < 0) {
		json_decref(root);
		root = NULL;
	}
	json_decref(policy);
	return root;
}
