/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers that hold: those of the kernel's map, with the words that the kernel does not keep. Both sides
 * change together here; who may give or take an answer is told elsewhere.
 */
#ifndef PICKET_DAEMON_GRANTS_H
#define PICKET_DAEMON_GRANTS_H

#include <jansson.h>

#include "engine/hub_asks.h"

/** An answer. */
struct grant {
	struct grant *next;
	struct pk_ask_key key;
	struct pk_grant kernel; /* as it was put; `uses` there goes down */
	json_t *doc; /* owned; schema picket.grant/1 without `uses`; NULL: a refusal for want of room */
};

/** All of them. grants_reset() frees. */
struct grants {
	struct hub *hub; /* borrowed */
	struct grant *first; /* owned */
	__u32 next_id;
};

/** Nanoseconds of CLOCK_BOOTTIME. */
__u64 grants_now(void);

/**
 * Remember an answer in place of an equal key's; the kernel does not have it yet. @doc is taken over in
 * any case. NULL: no memory.
 */
struct grant *grants_add(struct grants *grants, const struct pk_ask_key *key,
			 const struct pk_grant *kernel, json_t *doc);

/** Give it to the kernel. Returns 0 or -errno. */
int grants_publish(struct grants *grants, const struct grant *grant);

/** Take it out of the kernel and forget it. */
void grants_drop(struct grants *grants, struct grant *grant);

/** The answer to @key or with the number @id, or NULL. */
struct grant *grants_find(const struct grants *grants, const struct pk_ask_key *key);
struct grant *grants_find_id(const struct grants *grants, __u32 id);

/** True while it answers an act asked by @rule of @image. */
bool grants_holds(const struct grants *grants, const struct grant *grant, __u32 rule, __u64 image);

/** Uses that are left, PK_GRANT_UNLIMITED included; 0: it is over. */
__s64 grants_left(const struct grants *grants, const struct grant *grant);

/** True when it is over by time or use at @now. */
bool grants_is_over(const struct grants *grants, const struct grant *grant, __u64 now);

/** The words with what is left. NULL: no memory. */
json_t *grants_describe(const struct grants *grants, const struct grant *grant);

/** What is kept over restarts: an array. NULL: no memory. */
json_t *grants_encode(const struct grants *grants);

/** Called for each answer that was kept; false: it is not to be taken over. */
typedef bool (*grants_check_fn)(void *context, const struct grant *grant);

/**
 * Take over what the kernel has and @saved (what grants_encode() made, or NULL) remembers; what nobody
 * remembers or @check refuses is taken out of the kernel. Returns how many those are, or -errno.
 */
int grants_adopt(struct grants *grants, const json_t *saved, grants_check_fn check, void *context);

/** Forget all; the kernel keeps them. */
void grants_reset(struct grants *grants);

#endif
