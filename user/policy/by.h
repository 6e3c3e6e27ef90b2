/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key `by` of rules and tests: the programs a rule is for.
 */
#ifndef PICKET_POLICY_BY_H
#define PICKET_POLICY_BY_H

#include "policy/front.h"

/**
 * Read a path glob or a list of them into @rule, whose verdict is known. Faults are reported and
 * clear *@ret_good. Returns 0 or -ENOMEM.
 */
int by_read(struct front *front, const struct node *value, struct policy_rule *rule,
	    bool *ret_good);

/** Report when rules with `by` can never match: after the whole policy was read. */
void by_check(struct front *front);

/** Free the globs of @rule. */
void by_reset(struct policy_rule *rule);

#endif
