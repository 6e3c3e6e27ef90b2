/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proof that attached programs enforce: a process under an image that denies everything tries
 * one act of every family and must get exactly the errno that family gives, while the same act
 * outside gets another answer. Loaded, attached and ineffective is a state that kernels offer.
 */
#ifndef PICKET_ENGINE_CANARY_H
#define PICKET_ENGINE_CANARY_H

#include "engine/loader.h"
#include "engine/place.h"

/**
 * Prove enforcement of all families of the loader's tier below the place's cgroup, using agent slot
 * @slot, which is empty again afterwards. Returns 0, -EKEYREJECTED when some act was answered
 * otherwise, or another -errno; each with an error that names the act.
 */
int canary_prove(struct loader *loader, __u32 slot, const struct place *place,
		 struct diag_list *diags);

#endif
