/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key usable_by: who may start agents with a policy through the daemon. Who is meant by a name is
 * asked of the system when it matters and not when the policy is read, so that an image says nothing of
 * it and a user who comes later is known.
 */
#ifndef PICKET_POLICY_ACCESS_H
#define PICKET_POLICY_ACCESS_H

#include <sys/types.h>

#include "policy/front.h"
#include "policy/schema.h"

/** Read the key into the policy (a schema_read; no @into). */
int access_read(struct front *front, const struct node *map, void *unused);

/**
 * True when the policy says that @uid, or one of the @count groups at @gids, may use it. A policy
 * without the key allows nobody, and so does a name that the system does not know: who may use every
 * policy (root, operators) is for the caller to say.
 */
bool policy_access_allows(const struct policy *policy, uid_t uid, const gid_t *gids, size_t count);

/** Warn of names that the system does not know. */
void policy_access_check(const struct policy *policy, struct diag_list *diags);

/** Write "users ada, 1000; groups team" to @to; nothing for a policy without the key. */
void policy_access_write(const struct policy *policy, FILE *to);

/** Free what @access owns. */
void policy_access_reset(struct policy_access *access);

/** The keys of usable_by. */
extern const struct schema access_schema;

#endif
