/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host patterns of egress rules to the automaton of hosts, whose keys are names read backwards.
 */
#ifndef PICKET_POLICY_HOSTS_H
#define PICKET_POLICY_HOSTS_H

#include "policy/automaton.h"

/** True when some rule has a host pattern. */
bool hosts_needed(const struct numbered *numbered);

/** True when some rule that does not allow has one. */
bool hosts_denied(const struct numbered *numbered);

/**
 * Fill the zeroed *@automaton from the host patterns of @numbered, interning their sets. Returns 0;
 * -EINVAL with findings; -ENOMEM.
 */
int hosts_build(struct automaton *automaton, const struct numbered *numbered, struct sets *sets,
		struct diag_list *diags);

#endif
