/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an agent has learned of the addresses of names, read out of the kernel's maps. They change while
 * they are read: an entry may be missing or be seen twice, none is half of two.
 */
#ifndef PICKET_ENGINE_LEARNED_H
#define PICKET_ENGINE_LEARNED_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/image.h"

#include <picket/abi.h>

struct loader;

/** One name that an address was learned for. */
struct learned_name {
	char host[PK_HOST_BUFFER]; /* "": the kernel has forgotten its text */
	__u8 address[16]; /* IPv4 mapped */
	__u64 expires_ns; /* CLOCK_BOOTTIME */
	__u64 image; /* digest of the image that lets the name through, its first bytes */
};

/** Names by their text, then address. learned_table_reset() frees. */
struct learned_table {
	struct learned_name *items; /* owned */
	size_t count;
	size_t left_out; /* over LEARNED_TABLE_MAX */
};

/** Most names of a table: more than anybody reads. */
#define LEARNED_TABLE_MAX 4096

/**
 * Read what the agent of @slot knows and has not expired. An engine whose programs learn nothing has an
 * empty table. Returns 0 or -errno.
 */
int learned_read(const struct loader *loader, __u32 slot, struct learned_table *ret_table);

/** Forget what was learned for @slot, so that another agent can have it. Returns 0 or -errno. */
int learned_forget(const struct loader *loader, __u32 slot);

/** An agent whose image changes. */
struct learned_change {
	__u32 slot;
	int cgroup; /* of its processes: whose connections are looked at; borrowed; -1 = none */
	__u64 before; /* the old image's digest, its first bytes */
	const struct policy_image *next; /* the new one; borrowed, validated */
	bool published; /* @next judges already */
};

/**
 * Let the new image know the names that the old one had learned: those that it lets be asked for, for
 * addresses that it would learn, for as long as they have left. A name whose time is over is taken along
 * only while a process of the agent has a connection to the address, as the old image let it go on.
 *
 * To be called before the image is published, when names of the old one stay as they are, so that it
 * goes on deciding as before; and again afterwards, for what was learned in between, when those that
 * were taken along give up their places. Returns 0 or -errno; what was not taken along is unknown to the
 * new image, which denies.
 */
int learned_follow(const struct loader *loader, const struct learned_change *change);

/** Free what @table owns and make it empty. */
void learned_table_reset(struct learned_table *table);

#endif
