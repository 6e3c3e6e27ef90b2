/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * YAML text to a tree in which every node knows where it stands. The tree is plain: texts, lists
 * and maps. What YAML offers beyond that (anchors, aliases, tags, directives, several documents)
 * is refused, and no text is ever taken for a number, a truth value or a null.
 */
#ifndef PICKET_POLICY_YAML_H
#define PICKET_POLICY_YAML_H

#include "policy/source.h"

enum node_kind {
	NODE_TEXT,
	NODE_LIST,
	NODE_MAP,
	NODE_BAD, /* already reported: to be passed over in silence */
};

/** How a text is written; decides where a byte of its value stands in the source. */
enum node_style { NODE_PLAIN, NODE_SINGLE, NODE_DOUBLE, NODE_BLOCK };

/** A node and everything below it; owned by its parent. */
struct node {
	enum node_kind kind;
	enum node_style style; /* texts */
	bool flow; /* lists and maps: written with brackets */
	bool several_lines; /* the source of a text has more than one line */
	const struct source *source; /* borrowed */
	size_t offset; /* of the first byte in the source, quotes included */
	size_t extent; /* bytes in the source */
	char *text; /* texts: the value; NUL-terminated and without NUL inside */
	size_t length; /* of the value */
	struct node **items; /* lists: the elements; maps: key, value, key, value ... */
	size_t count; /* of items */
};

/** Deepest nesting, and most nodes, of one file. */
#define YAML_DEPTH_MAX 32
#define YAML_NODES_MAX 1000000U

/**
 * Parse a checked source. On success *@ret_root is the tree (free with node_free(); NULL for a
 * text without content); findings may have been made about parts of it. Returns 0, -EINVAL with
 * findings when there is no tree to go on with, or -ENOMEM.
 */
int yaml_parse(const struct source *source, struct node **ret_root, struct diag_list *diags);

/** Free *@node and all below; accepts NULL; resets. */
void node_free(struct node **node);

/** Add a finding that underlines the node (its first line). */
struct diag *node_report(const struct node *node, struct diag_list *diags,
			 enum diag_severity severity, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/** Add an error about @length bytes at byte @at of a text's value. */
struct diag *node_error_at(const struct node *node, struct diag_list *diags, size_t at,
			   size_t length, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/** node_report() as an error. */
#define node_error(node, diags, ...) node_report(node, diags, DIAG_ERROR, __VA_ARGS__)

/** True when a key or value of a map was refused by the parser (NODE_BAD). */
bool node_has_bad(const struct node *map);

/** Where the node starts. */
struct diag_pos node_pos(const struct node *node);

/** What the node is, for people: "a list", "a map", "nothing", "the text 'abc'". */
const char *node_describe(const struct node *node, char *buffer, size_t size);

#endif
