/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clears away what runs left behind whose picket was killed: their processes, which were confined
 * all the time, then their pins, cgroups and scratch directories.
 */
#ifndef PICKET_ENGINE_STALE_H
#define PICKET_ENGINE_STALE_H

#include "engine/place.h"

/**
 * Remove every place without a living owner; @lock must be held. A warning in @diags names each; a
 * place whose processes do not die in time stays as it is, confined, for the next try, with a
 * warning. Returns 0 or -errno with an error.
 */
int stale_clean(const struct place_roots *roots, const struct place_lock *lock,
		struct diag_list *diags);

#endif
