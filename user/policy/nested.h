/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key nested: the policies by which processes of an agent may start agents of their own through the
 * daemon. It is no part of the image: the daemon asks it of the model.
 */
#ifndef PICKET_POLICY_NESTED_H
#define PICKET_POLICY_NESTED_H

#include "policy/front.h"

/** Read the key into the policy (a schema_read; no @into). */
int nested_read(struct front *front, const struct node *value, void *unused);

/** Write "build, test" to @to; nothing for a policy without the key. */
void policy_nested_write(const struct policy *policy, FILE *to);

/** Free what @nested owns. */
void policy_nested_reset(struct policy_nested *nested);

#endif
