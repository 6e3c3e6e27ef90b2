/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single texts of fmt.h as they are quoted, their further lines moved.
 */
#ifndef PICKET_AUTHOR_FMT_TEXT_H
#define PICKET_AUTHOR_FMT_TEXT_H

#include <stdio.h>

#include "policy/yaml.h"

/** How @text is written in its source, @text->extent bytes. */
const char *fmt_text_raw(const struct node *text);

/** Write @text, not a block one, without the end of its last line. */
void fmt_text_put(FILE *to, const struct node *text, size_t indent);

/**
 * Write a block text ('|' or '>') and the end of its last line. True when blank lines at its end are
 * part of it (`|+`).
 */
bool fmt_text_put_block(FILE *to, const struct node *text, size_t indent);

/** True when a block text has its indentation as a number (`|2`), so that it cannot be moved. */
bool fmt_text_is_fixed(const struct node *text);

/** True when @node or something below is a text that has several lines. */
bool fmt_text_has_lines(const struct node *node);

/** Write @node and all below, texts of one line, in brackets. */
void fmt_text_put_flow(FILE *to, const struct node *node);

#endif
