/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sharing from the right: nodes of the glob tree with the same future become one node. Without it
 * the alternatives of one glob multiply: a{b,c}d{e,f} would have four ends that accept the same.
 */
#ifndef PICKET_POLICY_NFA_SHARE_H
#define PICKET_POLICY_NFA_SHARE_H

#include "policy/nfa.h"

/**
 * Redirect every reference to a node to the youngest node with the same future; references go on
 * pointing to younger nodes. Nodes left over are reached by nothing. 0 or -ENOMEM.
 */
int nfa_share(struct nfa *nfa);

#endif
