/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The patterns of all layers as one numbered list: rule number = index. Decides the numbers, what
 * makes rules alike for a decision ("kind"), and which rules are useless repetitions.
 */
#ifndef PICKET_POLICY_NUMBERED_H
#define PICKET_POLICY_NUMBERED_H

#include "policy/model.h"

/** One pattern of one rule of one layer; all pointers borrowed from the policies. */
struct numbered_rule {
	const struct policy_rule *rule;
	const struct policy_pattern *pattern;
	__u8 layer;
	__u32 kind; /* same kind: same layer, section, verdict, access and ports */
	struct policy_ports *ports; /* owned: sorted, disjoint, not adjacent; others: 0-65535 */
	size_t port_count;
};

/** All rules by number; owns the list, borrows the policies. */
struct numbered {
	struct numbered_rule *rules;
	size_t count;
	__u32 kinds;
};

/** Number the rules of @count layers. 0; -EINVAL with a finding over PK_RULES_MAX; -ENOMEM. */
int numbered_make(const struct policy *const *layers, size_t count, struct numbered *ret_numbered,
		  struct diag_list *diags);

/**
 * Report rules that repeat an earlier one of the same file word for word in what they decide: they
 * can never matter and are most likely a slip. Across files (includes) repetitions are fine, and
 * rules that come from no file are not compared. Returns 0, -EINVAL with findings, or -ENOMEM.
 */
int numbered_check_repeats(const struct numbered *numbered, struct diag_list *diags);

/** Free everything and zero @numbered. */
void numbered_reset(struct numbered *numbered);

#endif
