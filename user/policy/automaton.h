/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An automaton while it is built: subset construction over byte classes, then the smallest
 * equivalent automaton with canonical state numbers. Refuses to know how it is stored in an image.
 *
 * A state's row is sparse: `other` is the successor by the class that nfa->other names, edges are the
 * classes that go elsewhere, in ascending order. State 0 of a freshly built automaton is the dead state.
 */
#ifndef PICKET_POLICY_AUTOMATON_H
#define PICKET_POLICY_AUTOMATON_H

#include "policy/nfa.h"
#include "policy/sets.h"

/** Most node positions over all states while building: bounds memory and time. */
#define AUTOMATON_POSITIONS_MAX (48U << 20)
/** Most edges over all states. */
#define AUTOMATON_EDGES_MAX (24U << 20)

/** A successor by one class. */
struct automaton_edge {
	__u32 class;
	__u32 target;
};

/** A state and its row. */
struct automaton_state {
	__u32 set; /* rule set of a key that ends here */
	__u32 other;
	__u32 edges; /* first one in automaton->edges */
	__u32 edge_count;
};

/** The whole; owns its arrays. Zero-initialise, automaton_build(), automaton_reset(). */
struct automaton {
	struct automaton_state *states;
	size_t state_count, state_room;
	struct automaton_edge *edges;
	size_t edge_count, edge_room;
	__u32 start;
	__u32 classes;
	__u8 class_of[256];
};

/**
 * Build into the zeroed *@automaton what @nfa says, interning rule sets in @sets. Returns 0;
 * -E2BIG over COMPILE_STATES_MAX or the limits above, with the states each node was active
 * in added to @ret_active (nfa->node_count elements, zeroed by the caller); -EOVERFLOW when
 * sets_intern() found too many rules; -ENOMEM.
 */
int automaton_build(struct automaton *automaton, const struct nfa *nfa, struct sets *sets,
		    __u32 *ret_active);

/** Merge equivalent states and number them in breadth-first order from the start. 0 or -ENOMEM. */
int automaton_minimise(struct automaton *automaton);

/** The successor of @state by class @class. */
__u32 automaton_next(const struct automaton *automaton, __u32 state, __u32 class);

/** Free everything and zero @automaton. */
void automaton_reset(struct automaton *automaton);

#endif
