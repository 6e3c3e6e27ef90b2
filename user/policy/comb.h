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
	struct pk_slot *slots; /* owned */
	size_t count, room;
	__u32 start[PK_AUTOMATA]; /* the start states: absolute slot indices */
};

/**
 * Lay the @which-th @automaton out into *@comb, zeroed before the first; slot 0 of the part has
 * absolute index @base (> 0). Returns 0; -E2BIG when it does not fit an image; -ENOMEM.
 */
int comb_pack(struct comb *comb, const struct automaton *automaton, size_t which, __u32 base);

/** Free everything and zero @comb. */
void comb_reset(struct comb *comb);

#endif
