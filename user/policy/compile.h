/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checked layers to image. Deterministic: the same layers give the same bytes.
 */
#ifndef PICKET_POLICY_COMPILE_H
#define PICKET_POLICY_COMPILE_H

#include "policy/image.h"
#include "policy/model.h"

/** Choices that are not policy text. */
struct compile_options {
	bool audit; /* --audit: report, block nothing, whatever `mode` says */
	const struct policy_host *host; /* for `resolvers: system`; NULL = it has none */
};

/** Most states of the path automaton while it is built; over it the costliest globs are named. */
#ifndef COMPILE_STATES_MAX /* the fuzzers set a lower one: theirs is a slow build with a time limit */
#define COMPILE_STATES_MAX (1U << 20)
#endif

/**
 * Compile @count layers (highest first; 1..PK_LAYERS_MAX) into *@ret_image (caller resets).
 * Returns 0; -EINVAL with findings (a limit exceeded, a useless rule); -ENOMEM.
 */
int policy_compile(const struct policy *const *layers, size_t count,
		   const struct compile_options *options, struct policy_image *ret_image,
		   struct diag_list *diags);

#endif
