/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Variables: `vars` sections, ${NAME} in texts. A value is inserted as it is: nothing in it can
 * become a wildcard or a second pattern.
 *
 * A file sees the built-in variables, its own and those of the files that include it; no name can
 * be defined twice in what a file sees. `$$` is a dollar sign.
 */
#ifndef PICKET_POLICY_VARS_H
#define PICKET_POLICY_VARS_H

#include "policy/front.h"

/** Where a text is used, which decides how values are inserted. */
enum vars_use {
	VARS_PLAIN, /* as they are */
	VARS_GLOB, /* glob characters of a value are escaped; '\' protects what follows */
	VARS_WORDS, /* the same, and blanks: a value never makes a second word, nor "..." */
	VARS_LINE, /* blanks and backslashes of a value are escaped */
};

/** A text with its variables replaced. */
struct expansion {
	char *text; /* owned, NUL-terminated */
	size_t length;
	unsigned int *origin; /* owned: for each byte and the end, its place in the node's value */
};

/** Longest text after expansion. */
#define VARS_TEXT_MAX (4U * 4096U)

/**
 * Replace the variables of @text. Faults are reported and leave ret->text NULL. The caller frees
 * with expansion_reset(). Returns 0 or -ENOMEM.
 */
int vars_expand(struct front *front, const struct node *text, enum vars_use use,
		struct expansion *ret);

/** Free what an expansion owns and make it empty. */
void expansion_reset(struct expansion *expansion);

/** Report at byte @at of an expanded text, where it comes from in the source. */
#define expansion_error_at(node, expansion, diags, at, length, ...)                                \
	node_error_at(node, diags, (expansion)->origin[at],                                        \
		      (expansion)->origin[(at) + (length)] - (expansion)->origin[at], __VA_ARGS__)

/** Read a `vars` map into the current file's variables (a schema_read). */
int vars_read(struct front *front, const struct node *map, void *unused);

/** Report overrides (--set) that no `vars` of the policy knows. Returns 0 or -ENOMEM. */
int vars_check_overrides(struct front *front);

/** Free the variables of a frame. */
void vars_reset(struct frame *frame);

#endif
