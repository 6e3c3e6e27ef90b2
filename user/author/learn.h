/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what an agent did to a policy that allows that and little more. The same recording gives the same text.
 * How paths are generalised is told in learn_name.h and learn_tree.h; of the rest:
 *
 *   - A destination is a name where one was looked up, with the ports that were used, TCP unless UDP was sent.
 *     One that is inside (loopback, private networks) is an address: no name may lead there. Ports of
 *     loopback from 32768 on are the kernel's choice and become that range.
 *   - Who may connect (`from`) is who did, up to 8 addresses; where nobody did, this host. Over loopback nobody
 *     else can. Rules that share ports share it: the language wants that.
 *   - A program is its path. When each of its command lines begins with a lower-case word that is no path,
 *     and there are 8 such words at most, these are the words that it may be run with.
 *   - Presets: linux-base where it covers something, dev-tools where it covers LEARN_FOLD paths or more,
 *     secrets always. What they cover gets no rule.
 *   - Never allowed: what presets/secrets denies, metadata services, what was refused when it was recorded,
 *     what no rule can allow. These are listed.
 */
#ifndef PICKET_AUTHOR_LEARN_H
#define PICKET_AUTHOR_LEARN_H

#include "author/recording.h"
#include "policy/image.h"
#include "policy/load.h"

/** An act that the policy does not allow, and why. */
struct learn_left {
	const struct observation *act; /* borrowed from the recording */
	const char *why; /* static */
};

/** What was learned. learned_reset() frees. */
struct learn_result {
	char *text; /* the policy */
	size_t rules; /* in it, those of presets left out */
	struct learn_left *left;
	size_t left_count;
};

/**
 * Learn from @recording, which must be finished, a policy called @name. @context tells HOME, USER and CWD and the
 * host's addresses; HOME and CWD of the recording are meant where it has them. Then the policy is loaded and
 * every act that is not left out is judged by it. Returns 0; -ENOMEM; -EINVAL with findings when the policy does not
 * load.
 */
int learn_policy(const struct recording *recording, const char *name,
		 const struct policy_context *context, struct learn_result *ret_result,
		 struct diag_list *diags);

/** Free everything and make it empty. */
void learn_result_reset(struct learn_result *result);

#endif
