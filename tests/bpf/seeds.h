/* SPDX-License-Identifier: BSD-2-Clause */
/* Recorded packets (packets.txt), and what may happen to them on the way. */
#ifndef TESTS_BPF_SEEDS_H
#define TESTS_BPF_SEEDS_H

#include <linux/types.h>

/** Packets of packets.txt at most. */
#define SEED_MAX 256
/** Bytes of a packet, changed or not. */
#define SEED_BYTES 4000

struct seed {
	__u32 kind; /* enum packets_kind */
	__u32 length;
	__u8 bytes[SEED_BYTES];
};

struct seeds {
	unsigned int count;
	struct seed at[SEED_MAX];
};

/** Read packets.txt. Returns NULL when it cannot be read or has few packets; the caller frees. */
struct seeds *seeds_load(void);

/** Any seed of @kind. */
const struct seed *seeds_pick(const struct seeds *seeds, __u32 kind);

/** Change a few bytes, take some away, put some in, or cut the end off; by random(). */
void seed_change(struct seed *seed);

#endif
