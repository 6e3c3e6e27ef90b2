/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why an image decides as it does: the answer and everything that had a say, as data. Asks the
 * matcher for each rule of the set on its own, so that "matched" means here what it means there.
 */
#ifndef PICKET_POLICY_EXPLAIN_H
#define PICKET_POLICY_EXPLAIN_H

#include <stddef.h>

#include "policy/decide.h"

/** A rule that matched, or the default of a layer whose rules left something open. */
struct explain_voice {
	__u32 rule; /* rule reference: image_rule() or PK_RULE_DEFAULT | layer << 8 | section */
	__u8 layer;
	__u8 section;
	__u8 verdict; /* enum pk_verdict: what it says */
	__u8 access; /* the bits of the question it speaks about */
};

/**
 * An answer. Voices are ordered by strictness, then rule number, defaults last: the first one
 * decided, the second is the runner-up. Rules that repeat a lower-numbered one of the same
 * verdict are not in images and have no voice.
 */
struct explanation {
	struct pk_result result;
	struct explain_voice *voices; /* owned */
	size_t count;
};

/**
 * Explain @access (nibble) to @path in @section (files or exec). Returns 0, -ENOMEM, or for a path
 * or image that cannot be judged -ENAMETOOLONG, -EIO. The caller resets.
 */
int explain_path(const struct policy_image *image, enum pk_section section, __u8 access,
		 const char *path, struct explanation *ret_explanation);

/** Explain @query about @path. */
int explain_path_query(const struct policy_image *image, const char *path,
		       const struct pk_query *query, struct explanation *ret_explanation);

/** Explain a connection to the abstract unix socket @name by a program with the bits @subjects. */
int explain_abstract(const struct policy_image *image, const char *name, __u32 subjects,
		     struct explanation *ret_explanation);

/**
 * Explain the second look at an execution, which decide_command() tells: voices for the program and
 * those against what it calls itself. Unjudged when no rule looks at command lines. Also -E2BIG.
 */
int explain_command(const struct policy_image *image, const char *program, char *const *argv,
		    __u32 subjects, struct explanation *ret_explanation);

/** Explain running @path, as decide_exec(): voices of both sections, files and exec. */
int explain_exec(const struct policy_image *image, const char *path,
		 struct explanation *ret_explanation);

/** Explain reaching @port at @address (IPv4 as ::ffff:a.b.c.d) by @access. */
int explain_address(const struct policy_image *image, const __u8 address[16], __u16 port,
		    __u8 access, struct explanation *ret_explanation);

/** Explain @query, which has the port, about @address. */
int explain_address_query(const struct policy_image *image, const __u8 address[16],
			  const struct pk_query *query, struct explanation *ret_explanation);

/**
 * Explain @query, which has the port, about @to as decide_destination() decides it, whose answer is in
 * *@ret_decided: voices of the address, and of the name where it was looked at. Also -ENAMETOOLONG.
 */
int explain_destination(const struct policy_image *image, const struct decide_target *to,
			const struct pk_query *query, struct decided *ret_decided,
			struct explanation *ret_explanation);

/** Free the voices and zero @explanation. */
void explanation_reset(struct explanation *explanation);

#endif
