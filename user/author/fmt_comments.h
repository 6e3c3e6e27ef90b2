/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The comments of a policy: what is no text and begins with '#'. Each is known by the text that it
 * follows, which no change of form alters.
 */
#ifndef PICKET_AUTHOR_FMT_COMMENTS_H
#define PICKET_AUTHOR_FMT_COMMENTS_H

#include "policy/yaml.h"

/** One comment. */
struct fmt_comment {
	size_t offset; /* of its '#' */
	size_t length; /* without blanks at its end */
	size_t after; /* how many texts of the tree stand before it */
	bool own_line;
};

/** All comments of a source. Zero-initialise; fmt_comments_reset() frees. */
struct fmt_comments {
	struct fmt_comment *items; /* owned; in their order */
	size_t count;
	size_t texts; /* of the tree */
};

/** Find the comments around the texts of @root (may be NULL). Returns 0 or -ENOMEM. */
int fmt_comments_find(const struct source *source, const struct node *root,
		      struct fmt_comments *ret_comments);

/** Free what @comments owns and make it empty. */
void fmt_comments_reset(struct fmt_comments *comments);

/** Offset of the first byte of the line that has byte @offset. */
size_t fmt_line_start(const struct source *source, size_t offset);

#endif
