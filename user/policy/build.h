/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree of globs to the smallest automaton, with findings in the policy's terms: when there are too
 * many states, which patterns cost them.
 */
#ifndef PICKET_POLICY_BUILD_H
#define PICKET_POLICY_BUILD_H

#include "policy/automaton.h"

/** What an automaton is built from. */
struct build_source {
	const struct nfa *nfa; /* finished */
	const struct numbered *numbered;
	size_t kind; /* for @expand: which of several trees */
	/** Call @visit with every sequence that rule @number has in this tree. */
	void (*expand)(const struct build_source *source, __u32 number, glob_visit visit,
		       void *context);
	const char *patterns; /* "path globs": what there is too much of */
	const char *advice; /* how to write them so that they cost less */
	const char *key; /* "path": what the rules decide about */
};

/**
 * Build into the zeroed *@automaton, interning rule sets in @sets. 0; -EINVAL with findings;
 * -ENOMEM.
 */
int build_automaton(struct automaton *automaton, const struct build_source *source,
		    struct sets *sets, struct diag_list *diags);

#endif
