/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trees of nodes (policy/yaml.h) from texts that are no YAML, and a cursor over such a text.
 */
#ifndef PICKET_IMPORT_TREE_H
#define PICKET_IMPORT_TREE_H

#include "policy/yaml.h"

/** Where a reader is. `failed` is set with the first finding, or for want of memory. */
struct cursor {
	const struct source *source;
	size_t at;
	unsigned int depth; /* of brackets */
	struct diag_list *diags;
	bool failed;
};

/** The next byte, or 0 at the end. */
char cursor_peek(const struct cursor *cursor);

/** True when the text goes on with @word; then it is behind it. */
bool cursor_skip(struct cursor *cursor, const char *word);

/** Skip blanks and comments that begin with '#'; newlines too with @lines. */
void cursor_blanks(struct cursor *cursor, bool lines);

/** Add an error at @offset, once. */
void cursor_fail(struct cursor *cursor, size_t offset, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** A new node that begins at @offset and ends where the cursor is, or NULL (failed). */
struct node *tree_node(struct cursor *cursor, enum node_kind kind, size_t offset);

/** A text whose value is the @length bytes at @value; as tree_node(). */
struct node *tree_text(struct cursor *cursor, size_t offset, const char *value, size_t length);

/** Append @child (taken; NULL does nothing) to @parent. */
void tree_push(struct cursor *cursor, struct node *parent, struct node *child);

/**
 * A quoted text at the cursor, in " with escapes or, with @literal, in ' without. Newlines inside are
 * errors. NULL when failed.
 */
struct node *tree_quoted(struct cursor *cursor, bool literal);

/** A word of letters, digits, '_' and the bytes of @more at the cursor; NULL after the error @missing. */
struct node *tree_word(struct cursor *cursor, const char *more, const char *missing);

/** A list in brackets at the cursor, over lines, each element by @read (which gives NULL when it failed). */
struct node *tree_list(struct cursor *cursor, struct node *(*read)(struct cursor *cursor));

#endif
