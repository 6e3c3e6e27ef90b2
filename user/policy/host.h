/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host patterns and host names as policies write them, to their canonical form: lower case, without
 * a dot at the end, Unicode as the ASCII form that resolvers are asked for. Decides which names can
 * exist; refuses to know rules, ports and automata.
 *
 *   a.b       this name
 *   *.a.b     every name below a.b, at any depth; not a.b itself
 *   **.a.b    a.b and every name below it
 *   *         every name
 *
 * A '*' stands nowhere else. Labels have 1 to PK_LABEL_MAX letters, digits, '-' and '_', a name at
 * most PK_HOST_MAX bytes. A last label that is a number would make programs take the name for an
 * address; names that end in "localhost" are never asked for. Both are refused.
 */
#ifndef PICKET_POLICY_HOST_H
#define PICKET_POLICY_HOST_H

#include "policy/address_parts.h"

/**
 * Parse @part, a host pattern. On success stores the canonical form (malloc'ed) and returns 0;
 * -EINVAL with *@ret_error filled; -ENOMEM.
 */
int host_pattern_parse(const struct address_part *part, char **ret_host,
		       struct address_error *ret_error);

/** The same for one single name. */
int host_name_parse(const struct address_part *part, char **ret_host,
		    struct address_error *ret_error);

/**
 * True when @source, a destination as it was written, names the host of the canonical pattern @host
 * in letters that had to be converted: people should be shown what became of them.
 */
bool host_was_converted(const char *source, const char *host);

#endif
