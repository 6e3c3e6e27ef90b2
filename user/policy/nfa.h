/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Glob sequences merged into one tree-shaped nondeterministic automaton: sequences share what they
 * have in common from the left, so that ten thousand `**` patterns have one `**` node. Also splits
 * the bytes into classes that no pattern tells apart. Refuses to know rules beyond their numbers.
 *
 * A node stands for "the tokens up to here are matched". From a node one goes on by its edges
 * (bytes), by its own loop (a star node eats bytes and stays) and for free to the nodes of its
 * closure: below `star`, `deep` and `rest`, and behind what may be left out.
 *
 * Of paths no byte is NUL. In an automaton of commands NUL ends a word: it has a class of its own,
 * which only its own edges and the loops of `rest` follow.
 */
#ifndef PICKET_POLICY_NFA_H
#define PICKET_POLICY_NFA_H

#include "policy/glob.h"

/** Most nodes: about 40 bytes each; a policy with more bytes of globs is refused. */
#define NFA_NODES_MAX (1U << 22)
/** Most byte classes: the image's class is a byte and starts at PK_CLASS_FIRST. */
#define NFA_CLASSES_MAX 254

#define NFA_NONE 0xffffffffU

/** What bytes a node eats while staying itself. */
enum nfa_loop {
	NFA_LOOP_NONE,
	NFA_LOOP_STAR, /* all but '/' and NUL */
	NFA_LOOP_DEEP, /* all but NUL */
	NFA_LOOP_REST, /* all */
};

/** An edge of a node; `kind` is GLOB_BYTE, GLOB_ONE, GLOB_ANY_ONE or GLOB_SET. */
struct nfa_edge {
	__u32 target;
	__u32 sibling; /* next edge of the same node or NFA_NONE */
	__u32 set; /* GLOB_SET: index in nfa->sets */
	__u8 kind;
	__u8 byte;
};

/** A node; see above. */
struct nfa_node {
	__u32 edges; /* first edge or NFA_NONE */
	__u32 star; /* child nodes or NFA_NONE */
	__u32 deep; /* by GLOB_DEEP or GLOB_ANY */
	__u32 rest;
	__u32 skip; /* the node behind a deep star and its slash, or any words and their NUL, when
		     * both are left out */
	__u32 accepts; /* first accept or NFA_NONE */
	__u32 loop; /* enum nfa_loop */
	__u32 closure; /* where the closure starts in nfa->closures, itself first */
	__u32 closure_count;
};

/** A rule whose pattern ends at a node. */
struct nfa_accept {
	__u32 rule;
	__u32 sibling;
};

/** Zero-initialise, nfa_init(), nfa_add() each glob, nfa_finish(); then read. */
struct nfa {
	struct nfa_node *nodes; /* 0 is the root */
	size_t node_count, node_room;
	struct nfa_edge *edges;
	size_t edge_count, edge_room;
	struct nfa_accept *accepts;
	size_t accept_count, accept_room;
	struct glob_set *sets;
	size_t set_count, set_room;
	__u32 *closures;
	size_t closure_count, closure_room;
	bool commands; /* set behind nfa_init(): keys have NUL bytes */
	__u32 classes; /* their number; class 0 has the NUL byte */
	__u32 other; /* a class that hardly any pattern tells from its like, never that of '/' */
	__u8 class_of[256];
};

/** Make the root. 0 or -ENOMEM. */
int nfa_init(struct nfa *nfa);

/** Add every sequence of @glob, ending in @rule. 0, -ENOMEM, or -E2BIG over NFA_NODES_MAX. */
int nfa_add(struct nfa *nfa, struct glob *glob, __u32 rule);

/** Compute closures and classes. 0, -ENOMEM, or -E2BIG over NFA_CLASSES_MAX. */
int nfa_finish(struct nfa *nfa);

/**
 * Give two finished automata the same byte classes: bytes that either tells apart. 0, or -E2BIG
 * over NFA_CLASSES_MAX.
 */
int nfa_share_classes(struct nfa *a, struct nfa *b);

/** What nfa_add_sequence() adds to, and the rule that its sequences end in. */
struct nfa_addition {
	struct nfa *nfa;
	__u32 rule;
};

/** A glob_visit that adds the sequence to the struct nfa_addition at @context; as nfa_add(). */
int nfa_add_sequence(void *context, const struct glob_token *tokens, size_t count);

/** What nfa_trace_sequence() follows, and whom it tells. */
struct nfa_trace {
	const struct nfa *nfa;
	void (*visit)(void *context, __u32 node);
	void *context;
};

/** A glob_visit that calls the visit of the struct nfa_trace at @context with each node passed. */
int nfa_trace_sequence(void *context, const struct glob_token *tokens, size_t count);

/** Free everything and zero @nfa. */
void nfa_reset(struct nfa *nfa);

#endif
