/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The patterns of all layers as one numbered list: rule number = index. Decides the numbers, what
 * makes rules alike for a decision ("kind"), and which rules are useless repetitions. Behind the
 * patterns of rules come entries made here: the globs of `by` lists (section subject) and the words
 * of process sections (section process), so that they have numbers and positions too.
 */
#ifndef PICKET_POLICY_NUMBERED_H
#define PICKET_POLICY_NUMBERED_H

#include "policy/model.h"
#include "policy/subjects.h"

/** One pattern of one rule of one layer; all pointers borrowed from the policies. */
struct numbered_rule {
	const struct policy_rule *rule;
	const struct policy_pattern *pattern;
	__u8 layer;
	__u8 access; /* as items have it: exec is RUN and COMMAND */
	__u32 subjects; /* mask of the programs it is for; section subject: the bit it gives */
	__u32 group; /* same group: same layer, section, verdict and subjects */
	__u32 kind; /* same kind: same group, access and ports */
	struct policy_ports *ports; /* owned: sorted, disjoint, not adjacent; others: 0-65535 */
	size_t port_count;
};

/** An entry that no rule of the text has. */
struct numbered_extra {
	struct policy_rule rule;
	struct policy_pattern pattern; /* its texts are borrowed */
};

/** All rules by number; owns the list, borrows the policies. */
struct numbered {
	struct numbered_rule *rules;
	size_t count;
	size_t written; /* of them patterns of rules; the others follow */
	__u32 kinds;
	__u32 groups;
	struct subjects subjects;
	struct numbered_extra *extras;
};

/**
 * Number the rules of @count layers. 0; -EINVAL with a finding over PK_RULES_MAX or
 * PK_SUBJECTS_MAX; -ENOMEM.
 */
int numbered_make(const struct policy *const *layers, size_t count, struct numbered *ret_numbered,
		  struct diag_list *diags);

/**
 * Report rules that repeat an earlier one of the same file word for word in what they decide: they
 * can never matter and are most likely a slip. Across files (includes) repetitions are fine, and
 * rules that come from no file are not compared. Returns 0, -EINVAL with findings, or -ENOMEM.
 */
int numbered_check_repeats(const struct numbered *numbered, struct diag_list *diags);

/** The number of the words of @guard, which has a source, in @layer's process section. */
__u32 numbered_guard(const struct numbered *numbered, __u8 layer, const struct policy_guard *guard);

/** Free everything and zero @numbered. */
void numbered_reset(struct numbered *numbered);

#endif
