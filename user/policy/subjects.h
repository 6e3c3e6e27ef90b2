/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs that rules are for: every different `by` list of all layers has one bit. Lists are
 * sets, their order and repetitions do not count. Refuses to know what the rules decide.
 */
#ifndef PICKET_POLICY_SUBJECTS_H
#define PICKET_POLICY_SUBJECTS_H

#include "policy/model.h"

/** One list; borrows its texts and the first rule that has it from the policies. */
struct subject {
	const struct policy_rule *rule;
	__u8 layer; /* of the rule */
	char **globs; /* the array is owned: sorted, without repetitions */
	size_t count;
};

/** All lists; the bit of a list is its index. Zero-initialise, subjects_collect(). */
struct subjects {
	struct subject lists[PK_SUBJECTS_MAX];
	size_t count;
};

/** Find the lists of @count layers. 0; -EINVAL with a finding over PK_SUBJECTS_MAX; -ENOMEM. */
int subjects_collect(struct subjects *subjects, const struct policy *const *layers, size_t count,
		     struct diag_list *diags);

/** The mask of @rule: the bit of its list, or PK_SUBJECTS_ALL without one. 0 or -ENOMEM. */
int subjects_mask(const struct subjects *subjects, const struct policy_rule *rule, __u32 *ret_mask);

/** Free everything and zero @subjects. */
void subjects_reset(struct subjects *subjects);

#endif
