/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy's text in the one form that all policies have: two blanks a level, lists indented below
 * their key, brackets on one line or opened into a block, one blank line at most, comments where they
 * were. Texts stay as they are quoted, keys and rules in their order. What comes out is read again
 * and compared: it says what went in, with every comment, or it is refused.
 */
#ifndef PICKET_AUTHOR_FMT_H
#define PICKET_AUTHOR_FMT_H

#include "policy/source.h"

/** Lists and maps in brackets that make a line longer than this are opened into blocks. */
#define FMT_WIDTH 100

/**
 * Format @source, which is read or made by the caller and checked here (source_check()). The result
 * is malloc'ed, NUL-terminated and ends in a newline. Returns 0; -EINVAL with findings in @diags
 * when it is no YAML of the language's kind, or has a comment at a place that the form does not have;
 * -ENOMEM.
 */
int fmt_source(struct source *source, char **ret_text, struct diag_list *diags);

#endif
