/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the YAML parser says when a text is not YAML, in the words of someone who writes policies.
 */
#ifndef PICKET_POLICY_YAML_ERRORS_H
#define PICKET_POLICY_YAML_ERRORS_H

#include <yaml.h>

#include "policy/source.h"

/** The parser counts characters, the sources count bytes: a pair of positions that belong together. */
struct yaml_cursor {
	size_t characters;
	size_t offset;
};

/** Byte offset of the character number @characters; cheap when it is near the last one asked for. */
size_t yaml_offset(struct yaml_cursor *cursor, const struct source *source, size_t characters);

/** Report the error of a parser that stopped. Returns -EINVAL, or -ENOMEM when that was it. */
int yaml_report_error(const yaml_parser_t *parser, struct yaml_cursor *cursor,
		      const struct source *source, struct diag_list *diags);

#endif
