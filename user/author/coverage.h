/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which rules of a policy decided a test: one that never does may be wrong and nobody would know.
 */
#ifndef PICKET_AUTHOR_COVERAGE_H
#define PICKET_AUTHOR_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/decide.h"

/** Rules of one image. coverage_reset() frees. */
struct coverage {
	const struct policy_image *image; /* borrowed */
	bool *decisive; /* by the number of the rule */
	size_t count; /* rules of the image */
};

/** Start with no rule decisive. 0 or -ENOMEM. */
int coverage_start(struct coverage *coverage, const struct policy_image *image);

/** Note who decided. */
void coverage_add(struct coverage *coverage, const struct pk_result *result);

/** True for rules that the policy itself has or files that it includes: not those of presets, nor of syscalls. */
bool coverage_counts(const struct coverage *coverage, __u32 rule);

/** Free what it owns and make it empty. */
void coverage_reset(struct coverage *coverage);

#endif
