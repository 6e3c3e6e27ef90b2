/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many decisions of each kind there were: of one agent, or of all that are no more.
 */
#ifndef PICKET_METRICS_TALLY_H
#define PICKET_METRICS_TALLY_H

#include <linux/types.h>

#include <picket/image.h>

/** Zero-initialise. */
struct decision_tally {
	__u64 counts[PK_SECTION__MAX][PK_VERDICT__MAX];
};

/** Count a decision of @section and @verdict; codes out of range are no decision. */
static inline void tally_count(struct decision_tally *tally, __u32 section, __u32 verdict)
{
	if (section < PK_SECTION__MAX && verdict < PK_VERDICT__MAX)
		tally->counts[section][verdict]++;
}

/** Add what @other counted. */
static inline void tally_add(struct decision_tally *tally, const struct decision_tally *other)
{
	for (__u32 section = 0; section < PK_SECTION__MAX; section++) {
		for (__u32 verdict = 0; verdict < PK_VERDICT__MAX; verdict++)
			tally->counts[section][verdict] += other->counts[section][verdict];
	}
}

#endif
