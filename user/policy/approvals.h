/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key approvals: what happens to an act that a rule asks about, until somebody answers.
 */
#ifndef PICKET_POLICY_APPROVALS_H
#define PICKET_POLICY_APPROVALS_H

#include "policy/front.h"
#include "policy/schema.h"

/** Seconds until nobody's answer is a refusal, where nothing is said. */
#define APPROVALS_TIMEOUT 300U

/** Read the key into the policy (a schema_read; no @into). */
int approvals_read(struct front *front, const struct node *map, void *unused);

/** The number of an `approvers`, 1 to PK_APPROVERS_MAX; 0 for a text that was reported. */
unsigned int approvals_number(struct front *front, const struct node *value);

/** A number of approvers, as `form`. */
#define APPROVALS_NUMBER "^[1-8]$"

/** The keys of the section. */
extern const struct schema approvals_schema;

#endif
