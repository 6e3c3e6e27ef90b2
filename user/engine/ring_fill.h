/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How full a ring buffer of the kernel is.
 */
#ifndef PICKET_ENGINE_RING_FILL_H
#define PICKET_ENGINE_RING_FILL_H

#include <linux/types.h>

/** Bytes that wait in the ring buffer @map_fd: records with their heads. Returns 0 or -errno. */
int ring_fill(int map_fd, __u64 *ret_bytes);

#endif
