/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules that are being learned: a pattern, what it allows, and what was seen of it.
 */
#ifndef PICKET_AUTHOR_LEARN_RULES_H
#define PICKET_AUTHOR_LEARN_RULES_H

#include <stdio.h>

#include "author/observation.h"

/** A rule with one pattern. */
struct learn_rule {
	enum pk_section section;
	__u8 access;
	char *pattern; /* as it stands between double quotes in a policy, before YAML's own escapes */
	const char *note; /* static: what else is to be said; or NULL */
	struct seen seen;
	__u16 port; /* section listen: the pattern's first; 0: it has all */
	char *from; /* section listen: elements of a YAML list, who may connect; or NULL: everybody */
};

/** Rules, each (section, access, pattern) once. Zero-initialise; learn_rules_reset() frees. */
struct learn_rules {
	struct learn_rule *items;
	size_t count, room;
};

/** Add a rule, or what was seen to an equal one; @rule's pattern is taken over in any case. 0 or -ENOMEM. */
int learn_rules_add(struct learn_rules *rules, struct learn_rule *rule);

/** Sort by section, pattern and access, and put rules of one pattern together. */
void learn_rules_finish(struct learn_rules *rules);

/** Write the rules of @section as the elements of a YAML list. */
void learn_rules_write(const struct learn_rules *rules, enum pk_section section, FILE *to);

/** Write "12 times, FIRST to LAST, by cc1, make". */
void learn_seen_write(const struct seen *seen, FILE *to);

/** Free everything and make it empty. */
void learn_rules_reset(struct learn_rules *rules);

#endif
