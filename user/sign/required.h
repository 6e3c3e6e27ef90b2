/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key `require_signature` of managed layers: whose signatures policies below them must have.
 */
#ifndef PICKET_SIGN_REQUIRED_H
#define PICKET_SIGN_REQUIRED_H

#include "policy/front.h"
#include "policy/managed.h"
#include "sign/serials.h"

/** Read the key; as schema_read. */
int required_read(struct front *front, const struct node *value, void *unused);

/** Free what required_read() has stored. */
void policy_signers_reset(struct policy_signers *signers);

/** How required_check() looks. */
struct required_options {
	bool guarded; /* keys must be root's, as the layers that name them */
	enum serials_use use;
	const char *serials; /* NULL: SERIALS_FILE, which is root's; else a record of the caller's */
};

/**
 * May @policy, read from @path, be loaded below @managed? It may when no layer has the key, and else when
 * `PATH.sig` is a signature by a key of each such layer, over all that was read, and its serial is none of
 * before. Returns 0; -EPERM with a finding; or -ENOMEM.
 */
int required_check(const struct managed *managed, const struct policy *policy, const char *path,
		   const struct required_options *options, struct diag_list *diags);

#endif
