/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys id and reason of a rule.
 */
#ifndef PICKET_POLICY_RULE_TEXT_H
#define PICKET_POLICY_RULE_TEXT_H

#include "policy/front.h"

/** Read the id of the struct policy_rule @into; a second rule with it is reported. 0 or -ENOMEM. */
int rule_text_id(struct front *front, const struct node *value, void *into);

/** Read its reason. 0 or -ENOMEM. */
int rule_text_reason(struct front *front, const struct node *value, void *into);

/** Forget the ids of the rules of a load. */
void rule_text_forget_ids(struct front *front);

#endif
