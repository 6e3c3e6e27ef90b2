/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps by table: which keys a map may have, what their values look like and who reads them. A new
 * key of the language is a new row.
 */
#ifndef PICKET_POLICY_SCHEMA_H
#define PICKET_POLICY_SCHEMA_H

#include "policy/front.h"

/** What a value may be. */
enum schema_shape {
	SHAPE_TEXT = 1,
	SHAPE_LIST = 2,
	SHAPE_MAP = 4,
};

enum schema_flag {
	SCHEMA_REQUIRED = 1,
	SCHEMA_EARLY = 2, /* read before the other keys, wherever it stands */
	SCHEMA_REQUIRED_MAIN = 4, /* required, but not of included files */
	SCHEMA_ONE_OF =
		8, /* of the keys that have this, a map has exactly one; its reader sees to it */
};

/** Reads one value into what the map is read into. Returns 0 or -ENOMEM. */
typedef int (*schema_read)(struct front *front, const struct node *value, void *into);

struct schema;

/** A key. */
struct schema_key {
	const char *name;
	const char *expected; /* for people: "a list of rules" */
	schema_read read; /* NULL: see `keep` */
	unsigned int shapes; /* SHAPE_* */
	unsigned int flags; /* SCHEMA_* */
	const char *main_only; /* why an included file may not have it, or NULL */
	size_t keep; /* no `read`: the value's node is kept at this offset of what the map is read into */
	/* What the value may be, for those who describe the language; its reader checks it. */
	const struct schema *below; /* keys of the map, or of each map of the list */
	const struct front_words *words; /* all that the text, or each text of the list, may be */
	const char *
		form; /* an extended regular expression that the text fits, or each free key of a map */
	const char *elements; /* the same of the texts of a list, where they are not like one alone */
};

/** The end of a row whose value is kept in @member (a const struct node *) of the struct @type. */
#define SCHEMA_KEEP(type, member) .keep = offsetof(type, member)

/** A kind of map. */
struct schema {
	const char *what; /* "a rule of egress" */
	const struct schema_key *keys;
	size_t count;
};

#define SCHEMA(what, keys)                                                                         \
	{                                                                                          \
		what, keys, sizeof(keys) / sizeof(*(keys))                                         \
	}

/** Times of approvals and dns, and most of something a second, as `form`. */
#define SCHEMA_TIME "^[1-9][0-9]*[smh]$"
#define SCHEMA_RATE "^([1-9][0-9]*/s|off)$"

/**
 * Read every known key of @map in the order of the text (early ones first). Unknown keys, wrong
 * types, missing required keys are reported. Returns 0 or -ENOMEM.
 */
int schema_read_map(struct front *front, const struct schema *schema, const struct node *map,
		    void *into);

#endif
