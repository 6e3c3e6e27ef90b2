/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files about learned names share: the maps' elements, as bpf/maps.bpf.h has them. Nobody else
 * includes this.
 */
#ifndef PICKET_ENGINE_LEARNED_PARTS_H
#define PICKET_ENGINE_LEARNED_PARTS_H

#include "engine/learned.h"

/** An address of an agent. */
struct learned_key {
	__u64 address_hi;
	__u64 address_lo;
	__u32 agent;
	__u32 pad;
};

/** A name that it was learned for. */
struct learned_place {
	__u64 host; /* hash of the text; 0 = free */
	__u64 expires_ns;
	__u64 image;
	__u32 set;
	__u32 pad;
};

/** All names of an address. */
struct learned_value {
	struct learned_place names[PK_LEARNED_NAMES];
};

/** CLOCK_BOOTTIME. */
__u64 learned_now(void);

/**
 * The addresses of @slot (caller frees). Returns 0; -EPROTO when the loaded maps have other elements; or
 * another -errno.
 */
int learned_keys(const struct loader *loader, __u32 slot, struct learned_key **ret_keys,
		 size_t *ret_count);

/** The text of the name with this hash; "" when the kernel has forgotten it. */
void learned_text(const struct loader *loader, __u64 hash, char text[static PK_HOST_BUFFER]);

/** The bytes of an address as the kernel has them in two words. */
void learned_address(const struct learned_key *key, __u8 ret_address[static 16]);

#endif
