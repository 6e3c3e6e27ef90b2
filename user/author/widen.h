/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules that try to widen what a layer above allows: each of their keys is refused there. They change
 * nothing, and whoever wrote them thinks that they do.
 */
#ifndef PICKET_AUTHOR_WIDEN_H
#define PICKET_AUTHOR_WIDEN_H

#include "base/diag.h"
#include "policy/image.h"

/**
 * Add an error for each pattern of the lowest layer of @image that allows or asks, of which all that it
 * matches is denied by layers above, with the rule (or default) that does. Of egress only rules count:
 * what a default denies by its address may be allowed by its name, and the other way round.
 * Patterns of presets are general and are passed over. Returns 0; -ENOMEM. What is too large to be
 * walked is not judged.
 */
int widen_find(const struct policy_image *image, struct diag_list *diags);

#endif
