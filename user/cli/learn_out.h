/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Learning for the commands: the variables, what is said about it, and the file that it goes to.
 */
#ifndef PICKET_CLI_LEARN_OUT_H
#define PICKET_CLI_LEARN_OUT_H

#include "author/recording.h"
#include "policy/policy_args.h"

/** Where a learned policy goes, and what it is called. */
struct learn_out {
	const char *path; /* NULL: standard output */
	const char *name; /* of the policy */
	bool fresh; /* @path must not exist yet */
};

/**
 * Learn a policy from @recording with the variables of @args, write it to @out and say on stderr what was learned
 * and what was left out. Returns CLI_OK or CLI_FAILED.
 */
int learn_out(const char *command, const struct recording *recording, struct policy_args *args,
	      const struct learn_out *out);

#endif
