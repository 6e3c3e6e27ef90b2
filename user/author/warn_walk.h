/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every rule set that some key has, by walking a compiled image: the states that bytes lead to from
 * the start, the spans of the address table. Refuses to know rules.
 */
#ifndef PICKET_AUTHOR_WARN_WALK_H
#define PICKET_AUTHOR_WARN_WALK_H

#include "policy/decide.h"

/** Most states, or pairs of them, that are walked through. */
#define WALK_STATES_MAX (1U << 20)

/** Called once for the sets of each state, some of them more than once. */
typedef void (*walk_visit)(void *context, const struct pk_sets *sets);

/** Paths: both automata together. Returns 0, -E2BIG over WALK_STATES_MAX, or -ENOMEM. */
int walk_paths(const struct policy_image *image, walk_visit visit, void *context);
/** Command lines, as the first set. Returns as above. */
int walk_commands(const struct policy_image *image, walk_visit visit, void *context);
/** Host names, as the second set. Returns as above. */
int walk_hosts(const struct policy_image *image, walk_visit visit, void *context);
/** Addresses, as the first set. */
void walk_addresses(const struct policy_image *image, walk_visit visit, void *context);

#endif
