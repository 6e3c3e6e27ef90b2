/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The section `tests`: acts and the verdicts they must get. Reads them; running them is for others.
 */
#ifndef PICKET_POLICY_INLINE_TESTS_H
#define PICKET_POLICY_INLINE_TESTS_H

#include "policy/front.h"
#include "policy/schema.h"

/** Read a list of tests into the policy (schema_read; no @into). */
int inline_tests_read(struct front *front, const struct node *list, void *unused);

/** The keys of a test. */
extern const struct schema inline_tests_schema;

#endif
