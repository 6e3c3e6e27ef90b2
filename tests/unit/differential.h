/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One comparison of the compiled matcher with the reference, for the unit test and the fuzzer.
 */
#ifndef PICKET_TESTS_DIFFERENTIAL_H
#define PICKET_TESTS_DIFFERENTIAL_H

#include "dice.h"
#include "naive.h"

/** What was compared and found; zero-initialise. */
struct differential {
	size_t policies;
	size_t pairs; /* policy and key compared */
	size_t ruled; /* of them decided by a rule and not a default */
	size_t differences;
	size_t refused; /* policies that the compiler refused: must stay zero */
	bool verbose; /* print differences to stderr */
};

/** Make a policy of up to three layers, compile it, and compare on @keys keys. */
void differential_run(struct differential *d, struct dice *dice, size_t keys,
		      enum naive_fault fault);

#endif
