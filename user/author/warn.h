/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Warnings about a policy that is correct and most likely not what its author means. Each has a name,
 * a place and a reason, and is proven: on the compiled automata and address table, or by asking
 * the matcher about an act that the warning names. What cannot be proven is not warned about.
 *
 * A rule accepts a warning by naming it in its `reason`: the word "W-write-exec" there is both the
 * acceptance and the place where the next reader finds out why.
 */
#ifndef PICKET_AUTHOR_WARN_H
#define PICKET_AUTHOR_WARN_H

#include <sys/types.h>

#include "policy/image.h"
#include "policy/model.h"

/** The kinds of warnings. */
enum warn_code {
	WARN_SHADOWED, /* stricter rules decide wherever the pattern matches */
	WARN_REDUNDANT, /* earlier rules of the same verdict do */
	WARN_ANY_HOST, /* allow of every name or every address */
	WARN_PUBLIC_SUFFIX, /* a wildcard below which anybody can have names */
	WARN_SHARED_HOST, /* anybody can publish or collect there */
	WARN_DENY_BY_PATH, /* a deny in files under default: allow */
	WARN_WRITE_EXEC, /* what is written there can be run from there */
	WARN_AGENT_WRITABLE, /* the agent may write its policy or a folder of PATH */
	WARN_ARGV, /* a denied command has another name */
	WARN__MAX
};

/** A warning's name: "W-shadowed". */
const char *warn_name(enum warn_code code);
/** What the kind of warning is about, one sentence; for documents that list kinds. */
const char *warn_summary(enum warn_code code);

/** What the warnings about this machine look at; NULL and 0: they are left out. */
struct warn_world {
	const char *path; /* folders of PATH, or NULL */
	uid_t user; /* whose rights the agent has */
};

/**
 * Add the warnings about @policy to @diags. @image is of this policy alone, without layers above
 * it. Returns 0 or -ENOMEM.
 */
int warn_policy(const struct policy *policy, const struct policy_image *image,
		const struct warn_world *world, struct diag_list *diags);

#endif
