/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The automaton as the image's slots part: rows overlaid, each slot tagged with its owner. Knows
 * the slot format of picket/image.h and nothing of patterns.
 */
#ifndef PICKET_POLICY_COMB_H
#define PICKET_POLICY_COMB_H

#include "policy/automaton.h"

/** The finished part. */
struct comb {
	struct pk_slot *slots; /* owned */
	size_t count, room;
	__u32 start; /* the start state: an absolute slot index */
};

/**
 * Lay @automaton out into the zeroed *@comb; slot 0 of the part has absolute index @base (> 0).
 * Returns 0; -E2BIG when it does not fit an image; -ENOMEM.
 */
int comb_pack(struct comb *comb, const struct automaton *automaton, __u32 base);

/** Free everything and zero @comb. */
void comb_reset(struct comb *comb);

#endif
