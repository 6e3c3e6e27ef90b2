/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path patterns of numbered rules to the minimised automaton, with findings in the policy's terms:
 * which glob is wrong, which globs together are too much.
 */
#ifndef PICKET_POLICY_PATHS_H
#define PICKET_POLICY_PATHS_H

#include "policy/automaton.h"

/**
 * Fill the zeroed *@automaton from the file and exec rules of @numbered, interning their sets.
 * Returns 0; -EINVAL with findings; -ENOMEM.
 */
int paths_build(struct automaton *automaton, const struct numbered *numbered, struct sets *sets,
		struct diag_list *diags);

#endif
