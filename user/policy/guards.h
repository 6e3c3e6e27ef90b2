/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process sections of all layers as one: what any layer refuses is refused, what is left and any
 * asks about is asked about, and the highest layer that does is named.
 */
#ifndef PICKET_POLICY_GUARDS_H
#define PICKET_POLICY_GUARDS_H

#include "policy/numbered.h"

/**
 * Fill @head's guards and the default of the process section from the @count layers of @numbered,
 * in which every guard's words are entries already.
 */
void guards_fill(const struct policy *const *layers, size_t count, const struct numbered *numbered,
		 struct pk_image *head);

#endif
