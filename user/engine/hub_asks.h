/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Approvals in the kernel: answers to what `ask` rules are about, and the threads that wait for one.
 * Both maps are pinned like all others: they outlive the process that owns the hub.
 */
#ifndef PICKET_ENGINE_HUB_ASKS_H
#define PICKET_ENGINE_HUB_ASKS_H

#include <picket/ask.h>

#include "engine/hub.h"

/**
 * From now on acts that policies ask about are held or refused until answered, in every agent, whether
 * or not this process lives; before, they are refused for want of anybody who could approve.
 */
int hub_asks_begin(struct hub *hub);

/** Read the secret that keys are hashed with. Returns 0 or -errno. */
int hub_ask_seed(const struct hub *hub, __u64 *ret_seed);

/** Put an answer in place of an equal key's. Returns 0 or -errno (-E2BIG: the map is full). */
int hub_grant_put(struct hub *hub, const struct pk_ask_key *key, const struct pk_grant *grant);

/** Read one. Returns 0 or -ENOENT. */
int hub_grant_get(const struct hub *hub, const struct pk_ask_key *key, struct pk_grant *ret_grant);

/** Take one back. Returns 0 or -ENOENT. */
int hub_grant_delete(struct hub *hub, const struct pk_ask_key *key);

/** Called for each; nonzero stops and is returned. What is deleted meanwhile may be missed or not. */
typedef int (*hub_grant_fn)(void *context, const struct pk_ask_key *key,
			    const struct pk_grant *grant);
int hub_grants(const struct hub *hub, hub_grant_fn fn, void *context);

/** Read what the thread @tid waits for. Returns 0 or -ENOENT. */
int hub_hold_get(const struct hub *hub, __u32 tid, struct pk_hold *ret_hold);

/** Called for each held thread @tid. */
typedef int (*hub_hold_fn)(void *context, __u32 tid, const struct pk_hold *hold);
int hub_holds(const struct hub *hub, hub_hold_fn fn, void *context);

/**
 * The held thread @tid goes on: its call is made again and judged again. Through a pidfd of its process,
 * checked against its start, so that nobody else who got its number is continued. Returns 0, or -ESRCH
 * when it is gone; its entry is deleted in both cases, so that it asks anew.
 */
int hub_hold_continue(struct hub *hub, __u32 tid, const struct pk_hold *hold);

/**
 * Delete all answers of slot @slot and let its threads that wait go on. For agents that are removed, and
 * judge nobody any more: hub_agent_remove() does it.
 */
int hub_asks_clear(struct hub *hub, __u32 slot);

#endif
