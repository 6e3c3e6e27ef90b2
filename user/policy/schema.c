/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk over a map by its table. Everything that is not in the table is an error with the
 * nearest known key.
 */
#include "policy/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct schema_key *find_key(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (strcmp(schema->keys[i].name, name) == 0)
			return &schema->keys[i];
	}
	return NULL;
}

static void report_unknown(struct front *front, const struct schema *schema, const struct node *key)
{
	struct diag *diag =
		node_error(key, front->diags, "unknown key '%s' in %s", key->text, schema->what);
	CLEAN_FREE const char **names = NULL;

	if (!diag)
		return;
	names = reallocarray(NULL, schema->count, sizeof(*names));
	for (size_t i = 0; names && i < schema->count; i++)
		names[i] = schema->keys[i].name;
	if (names)
		front_hint_names(diag, key->text, "known keys", names, schema->count);
}

static unsigned int shape_of(const struct node *node)
{
	switch (node->kind) {
	case NODE_TEXT:
		return SHAPE_TEXT;
	case NODE_LIST:
		return SHAPE_LIST;
	case NODE_MAP:
		return SHAPE_MAP;
	case NODE_BAD:
		break;
	}
	return 0;
}

/* True when the value has a shape that the key takes and the file may have the key. */
static bool check_value(struct front *front, const struct schema_key *row, const struct node *key,
			const struct node *value)
{
	char what[64];

	if (value->kind == NODE_BAD)
		return false;
	if (row->main_only && front->frame->parent) {
		diag_hint(node_error(key, front->diags, "an included file may not have '%s'",
				     row->name),
			  "%s", row->main_only);
		return false;
	}
	if (value->kind == NODE_TEXT && value->length == 0 && value->style == NODE_PLAIN) {
		(void)node_error(key, front->diags, "'%s' has no value: it must be %s", row->name,
				 row->expected);
		return false;
	}
	if (row->shapes & shape_of(value))
		return true;
	(void)snprintf(what, sizeof(what), "'%s'", row->name);
	front_wrong_type(front, value, what, row->expected, row->shapes & SHAPE_TEXT);
	return false;
}

static int read_value(struct front *front, const struct schema_key *row, const struct node *value,
		      void *into)
{
	if (row->read)
		return row->read(front, value, into);
	*(const struct node **)((char *)into + row->keep) = value;
	return 0;
}

static int read_keys(struct front *front, const struct schema *schema, const struct node *map,
		     unsigned int early, void *into)
{
	int r = 0;

	for (size_t i = 0; i + 1 < map->count && r == 0; i += 2) {
		const struct node *key = map->items[i];
		const struct schema_key *row;

		if (key->kind != NODE_TEXT)
			continue;
		row = find_key(schema, key->text);
		if (!row && !early)
			report_unknown(front, schema, key);
		if (row && (row->flags & SCHEMA_EARLY) == early &&
		    check_value(front, row, key, map->items[i + 1]))
			r = read_value(front, row, map->items[i + 1], into);
	}
	return r;
}

static bool has_key(const struct node *map, const char *name)
{
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		const struct node *key = map->items[i];

		if (key->text && strcmp(key->text, name) == 0)
			return true;
	}
	return false;
}

static void report_missing(struct front *front, const struct schema *schema, const struct node *map)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_key *row = &schema->keys[i];
		unsigned int required = SCHEMA_REQUIRED;

		if (!front->frame->parent)
			required |= SCHEMA_REQUIRED_MAIN;
		if (!(row->flags & required) || has_key(map, row->name))
			continue;
		diag_hint(node_error(map, front->diags, "%s needs the key '%s'", schema->what,
				     row->name),
			  "'%s' is %s", row->name, row->expected);
	}
}

int schema_read_map(struct front *front, const struct schema *schema, const struct node *map,
		    void *into)
{
	int r;

	report_missing(front, schema, map);
	r = read_keys(front, schema, map, SCHEMA_EARLY, into);
	if (r == 0)
		r = read_keys(front, schema, map, 0, into);
	return r;
}
