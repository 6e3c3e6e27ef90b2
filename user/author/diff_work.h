/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of a comparison share: the images, who may ask, and the changes so far.
 */
#ifndef PICKET_AUTHOR_DIFF_WORK_H
#define PICKET_AUTHOR_DIFF_WORK_H

#include "author/diff_pair.h"

/** A program that asks, as one of all that have the same bits. */
struct diff_asker {
	__u32 subjects[DIFF_SIDES];
	char *by; /* owned; NULL: no bits, no rule names it */
};

/** A comparison at work. */
struct diff_work {
	const struct policy_image *images[DIFF_SIDES];
	struct diff *diff;
	struct diff_asker *askers; /* the first one has no bits */
	size_t asker_count, asker_room;
	__u64 subjects[DIFF_SIDES][PK_SUBJECTS_MAX + 1]; /* of each bit: what both sides call it */
	struct words groups; /* what changes are told apart by */
	size_t burst; /* the first change of the key at hand */
	size_t detail; /* most states of a walk over labels that are pairs of sets */
	bool by_meaning; /* labels are pairs of meanings */
};

/** The machine of a side of the path automaton @which. */
struct diff_machine diff_path_machine(const struct diff_work *work, size_t side, size_t which);

/** A zeroed set of labels for @sections. */
struct diff_labels diff_labels_make(const struct diff_work *work, __u32 sections);

/** True when both sides have the same defaults in all of @sections (bits). */
bool diff_defaults_same(const struct diff_work *work, __u32 sections);

/** Judge sets of one side. */
struct pk_result diff_judge(const struct diff_work *work, size_t side, const struct pk_sets *sets,
			    const struct pk_query *query);

/**
 * Add a change unless one of the same act, access, verdicts and rules is there. Texts are copied:
 * change->length bytes of the key, the name of @asker, argv. 0 or -ENOMEM.
 */
int diff_add(struct diff_work *work, const struct diff_change *change,
	     const struct diff_asker *asker);

/** Most states of a walk. */
size_t diff_most_states(const struct diff_work *work);

/**
 * Do a part of the comparison; where it comes to the limit of states (-E2BIG), once more by meanings. Notes
 * what that leaves out; returns what else the part does.
 */
int diff_part(struct diff_work *work, int (*part)(struct diff_work *work));

/** Find who may ask, and what the bits of both sides have to do with each other. */
int diff_find_askers(struct diff_work *work);

/** Compare files and programs. */
int diff_files(struct diff_work *work);

/** Compare abstract sockets. */
int diff_abstract(struct diff_work *work);

/** Compare command lines. */
int diff_commands(struct diff_work *work);

/** Compare addresses, names and what is learned. */
int diff_network(struct diff_work *work);

/** Compare what is no act. */
int diff_compare_settings(struct diff_work *work);

/** What two sides need of the path automata to be walked together. */
struct diff_paths_pair {
	struct diff_labels labels;
	struct automaton pairs[PK_AUTOMATA];
};

/** The columns and places of absolute paths. */
extern const struct diff_syntax diff_path_syntax;

#endif
