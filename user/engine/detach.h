/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Letting go of kernel programs without waiting for it.
 */
#ifndef PICKET_ENGINE_DETACH_H
#define PICKET_ENGINE_DETACH_H

#include "engine/loader.h"

/**
 * As loader_close(), but a process of its own ("picket-detach") holds the links until this one has
 * ended or gone on, and lets go of them: a kernel may need a tenth of a second for each. Should that
 * process be killed, the kernel detaches. Waits after all when there can be no such process, or when
 * one is still at it for an earlier run.
 */
void detach_later(struct loader *loader);

#endif
