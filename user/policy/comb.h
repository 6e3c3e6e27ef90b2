/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The automata as the image's slots part: rows overlaid, each slot tagged with its owner. Knows
 * the slot format of picket/image.h and nothing of patterns.
 */
#ifndef PICKET_POLICY_COMB_H
#define PICKET_POLICY_COMB_H

#include "policy/automaton.h"

/** The finished part. */
struct comb {
	__u32 base; /* absolute index of the part's slot 0, > 0 */
	__u32 classes; /* at least as many as any of the automata has */
	struct pk_slot *slots; /* owned */
	size_t count, room;
	__u32 start[PK_AUTOMATA + 2]; /* the start states: absolute slot indices */
	__u32 dead[PK_AUTOMATA + 2]; /* states that nothing leaves and that have no rules; 0 = none */
};

/** Which automata of an image those of commands and of hosts are; those before are of paths. */
#define COMB_COMMANDS PK_AUTOMATA
#define COMB_HOSTS (PK_AUTOMATA + 1)

/**
 * Lay the @which-th @automaton out into *@comb, which before the first is zero but for `base` and
 * `classes`. Returns 0; -E2BIG when it does not fit an image; -ENOMEM.
 */
int comb_pack(struct comb *comb, const struct automaton *automaton, size_t which);

/** Free everything and zero @comb. */
void comb_reset(struct comb *comb);

#endif
