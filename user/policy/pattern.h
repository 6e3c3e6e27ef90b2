/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One text of a rule to one checked pattern of the model: variables, and the path glob, command, name
 * of a socket or destination that they make.
 */
#ifndef PICKET_POLICY_PATTERN_H
#define PICKET_POLICY_PATTERN_H

#include "policy/front.h"

/**
 * Make a pattern of @text for a rule of @section and @verdict. On success *@ret_made is true and
 * *@ret_pattern is filled (caller frees with pattern_reset()); a faulty text is reported and leaves
 * it false. Returns 0 or -ENOMEM.
 */
int pattern_make(struct front *front, const struct node *text, const struct policy_rule *rule,
		 struct policy_pattern *ret_pattern, bool *ret_made);

/** Free what @pattern owns and make it empty. */
void pattern_reset(struct policy_pattern *pattern);

/** Report an address_parse() error of an expanded text. */
struct address_error;
struct expansion;
void pattern_report_address(struct front *front, const struct node *text,
			    const struct expansion *expansion, const struct address_error *error);

#endif
