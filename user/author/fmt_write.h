/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writing half of fmt.h: a tree and its comments to text.
 */
#ifndef PICKET_AUTHOR_FMT_WRITE_H
#define PICKET_AUTHOR_FMT_WRITE_H

#include "author/fmt_comments.h"

/**
 * Write the tree @root (NULL: there are comments only) to @to. False when a comment stands where the
 * form has no place for one, which is reported.
 */
bool fmt_write(const struct source *source, const struct node *root,
	       const struct fmt_comments *comments, FILE *to, struct diag_list *diags);

#endif
