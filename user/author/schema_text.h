/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The language as a JSON Schema (draft 2020-12) for editors. It is derived from the tables by which
 * policies are read, so that it has every key and word that the reader has and no others; its
 * descriptions are those of the reference. What patterns, names and addresses look like, and what
 * goes together, only `picket check` knows.
 */
#ifndef PICKET_AUTHOR_SCHEMA_TEXT_H
#define PICKET_AUTHOR_SCHEMA_TEXT_H

#include <jansson.h>

#include "policy/schema.h"

/** The schema of whole policies; the caller's, or NULL when out of memory. */
json_t *schema_text_policy(void);

/** What the reference says of the key @key of a map of kind @schema, or NULL. */
const char *schema_text_about(const struct schema *schema, const char *key);

#endif
