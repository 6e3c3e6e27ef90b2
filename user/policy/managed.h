/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The managed layers: policies of whoever looks after the machine, above all others. Each file of a
 * folder is a layer, every layer judges by itself, and the strictest verdict holds, so that no policy
 * below them can allow what they refuse.
 */
#ifndef PICKET_POLICY_MANAGED_H
#define PICKET_POLICY_MANAGED_H

#include "policy/load.h"

/** Where they are. */
#define MANAGED_FOLDER "/etc/picket/managed.d"
/** Most of them: the policy itself is a layer too. */
#define MANAGED_MAX (PK_LAYERS_MAX - 1)

/** The layers, in the order of their files' names. Zero-initialise; managed_reset() frees. */
struct managed {
	struct policy *layers[MANAGED_MAX]; /* owned */
	size_t count;
};

/**
 * Load all NAME.yaml of @folder, sorted by their bytes; no folder, no layers. A layer without a section
 * `process` leaves that to the others. With @context->guarded the folder must be guarded as its files are.
 * Returns 0, or -EINVAL, -ENOMEM or another -errno with a finding: then there are no layers.
 */
int managed_load(const char *folder, const struct policy_context *context,
		 struct managed *ret_managed, struct diag_list *diags);

/**
 * The layers from the top with @policy as the lowest, as policy_compile() takes them. Returns how many
 * are in @ret_layers.
 */
size_t managed_above(const struct managed *managed, const struct policy *policy,
		     const struct policy *ret_layers[PK_LAYERS_MAX]);

/** The first layer that enforces, or NULL when all (or none) are in mode audit. */
const struct policy *managed_enforcing(const struct managed *managed);

/** Free the layers. */
void managed_reset(struct managed *managed);

#endif
