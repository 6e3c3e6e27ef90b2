/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Positions that cannot matter any more. Once a glob with a deep star at its end has matched, its
 * rule holds for every longer path too; a position that can only ever lead to later rules of the
 * same layer, section, verdict and programs with no more access is then useless, when the rule is on all
 * ports: sets.h would drop those rules anyway. Leaving such positions out keeps states equal that otherwise multiply.
 */
#ifndef PICKET_POLICY_PRUNE_H
#define PICKET_POLICY_PRUNE_H

#include "policy/nfa.h"
#include "policy/numbered.h"

struct prune_node;
struct prune_holder;

/** Zero-initialise, prune_init(); then prune_list(). */
struct prune {
	const struct nfa *nfa; /* borrowed */
	const struct numbered *numbered;
	struct prune_node *nodes;
	struct prune_holder *holders; /* by group and access */
	__u32 stamp;
};

/** Prepare for the finished @nfa, whose rules are @numbered's; both must outlive @prune. */
int prune_init(struct prune *prune, const struct nfa *nfa, const struct numbered *numbered);

/** Remove useless nodes from a list of distinct nodes; returns how many are left. */
size_t prune_list(struct prune *prune, __u32 *nodes, size_t count);

/** Free everything and zero @prune. */
void prune_reset(struct prune *prune);

#endif
