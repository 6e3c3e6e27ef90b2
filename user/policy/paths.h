/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path patterns of numbered rules to minimised automata, with findings in the policy's terms:
 * which glob is wrong, which globs together are too much.
 */
#ifndef PICKET_POLICY_PATHS_H
#define PICKET_POLICY_PATHS_H

#include "policy/automaton.h"

/** The automata of limits.h (PK_AUTOMATA): globs from the root, floating globs; classes shared. */
struct paths {
	struct automaton automata[PK_AUTOMATA];
};

/**
 * Fill the zeroed *@paths from all globs of @numbered, interning their sets.
 * Returns 0; -EINVAL with findings; -ENOMEM.
 */
int paths_build(struct paths *paths, const struct numbered *numbered, struct sets *sets,
		struct diag_list *diags);

/** Free everything and zero @paths. */
void paths_reset(struct paths *paths);

#endif
