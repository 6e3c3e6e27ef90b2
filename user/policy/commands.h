/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exec rules to the automaton of commands.
 */
#ifndef PICKET_POLICY_COMMANDS_H
#define PICKET_POLICY_COMMANDS_H

#include "policy/automaton.h"

/**
 * True when some exec rule has to see command lines: it names arguments, or a program by its bare
 * name, which programs may also be called by.
 */
bool commands_needed(const struct numbered *numbered);

/**
 * Fill the zeroed *@automaton from the exec rules of @numbered, interning their sets. Returns 0;
 * -EINVAL with findings; -ENOMEM.
 */
int commands_build(struct automaton *automaton, const struct numbered *numbered, struct sets *sets,
		   struct diag_list *diags);

#endif
