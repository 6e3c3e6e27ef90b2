/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The groups @registries and @user-registries in rules of egress: one pattern becomes one for each host
 * that the machine is configured to fetch packages from.
 */
#ifndef PICKET_POLICY_REGISTRIES_RULE_H
#define PICKET_POLICY_REGISTRIES_RULE_H

#include "policy/front.h"

/** True when @text, a pattern of @rule, is one of the two groups (with or without ports, an error). */
bool registries_is_group(const struct node *text, const struct policy_rule *rule);

/**
 * Add a pattern for each host to @rule, whose source tells where it was found:
 * "@registries (FILE:LINE)". None found is a warning. Returns 0 or -ENOMEM.
 */
int registries_add(struct front *front, const struct node *text, struct policy_rule *rule);

/** True when a pattern's source was made by registries_add(). */
bool registries_made(const struct policy_pattern *pattern);

#endif
