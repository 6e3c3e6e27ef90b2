/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of a policy file: the top of the language.
 */
#ifndef PICKET_POLICY_SECTIONS_H
#define PICKET_POLICY_SECTIONS_H

#include "policy/front.h"
#include "policy/schema.h"

/** The keys of a policy; all others are found below. */
extern const struct schema sections_schema;

/** Read the tree of the current file into the policy. Returns 0 or -ENOMEM. */
int sections_read(struct front *front, const struct node *root);

#endif
