/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two automata, one of each image, as one: a state is a pair of states, and its label says what the pair
 * of rule sets there means. Walks over up to three such pairs at once find the shortest key for each
 * combination of labels.
 *
 * Labels that mean the same on both sides are merged, whatever rules they come from; where the sides differ
 * a label is the two sets themselves, or where that is too much in detail what they mean. Minimised by these labels, pairs are small: two policies that
 * differ in one pattern have little more than that pattern's states.
 */
#ifndef PICKET_AUTHOR_DIFF_PAIR_H
#define PICKET_AUTHOR_DIFF_PAIR_H

#include "author/diff.h"
#include "policy/automaton.h"
#include "policy/words.h"

#define DIFF_SIDES 2
/** Most pairs that are walked at once. */
#define DIFF_MACHINES 3
/** The label of everything that is the same on both sides, in a pair that is only about changes. */
#define DIFF_SAME 0xffffffffU

/** An automaton of an image. */
struct diff_machine {
	const struct policy_image *image;
	__u32 start; /* 0: it has none, and every key has the empty set */
	const __u8 *class_of;
};

/** Bytes that no automaton of either side tells apart, nor the syntax of keys. */
struct diff_bytes {
	__u8 class_of[256];
	__u8 sample[256]; /* of a class: the byte of it that people like best */
	__u8 kind[256]; /* of a class: a column of struct diff_syntax */
	__u32 count;
	__u32 other; /* the class with most bytes */
};

/** Most columns and rows of a syntax. */
#define DIFF_KINDS 6
#define DIFF_PLACES 9
#define DIFF_NOWHERE 0xffU

/** Which keys there are: an automaton of places, that begins at place 0. */
struct diff_syntax {
	__u8 (*kind)(__u8 byte); /* column of a byte; DIFF_NOWHERE: in no key */
	__u8 next[DIFF_PLACES][DIFF_KINDS]; /* DIFF_NOWHERE: ends no key and begins none */
	bool accepts[DIFF_PLACES];
	bool frozen[DIFF_PLACES]; /* pairs but the first stand still: what counts is their label there */
	size_t longest; /* bytes of a key */
};

/** Add the classes of @machines to one: bytes that any of them or the syntax tells apart. */
void diff_bytes_make(struct diff_bytes *bytes, const struct diff_machine *machines, size_t count,
		     const struct diff_syntax *syntax);

/** What a pair of sets means. */
struct diff_label {
	__u32 set[DIFF_SIDES];
	bool same;
};

/** All labels of a comparison. Zero-initialise but for the first three; diff_labels_reset(). */
struct diff_labels {
	const struct policy_image *images[DIFF_SIDES];
	__u32 sections; /* bits of enum pk_section that count */
	bool by_meaning; /* sets that mean the same are one, whatever rules they are of */
	const __u64 (*subjects)[PK_SUBJECTS_MAX + 1]; /* bits of each side in common terms */
	struct diff_label *labels;
	size_t count, room;
	struct words raw; /* pairs of sets, their labels in `of_raw` */
	__u32 *of_raw;
	size_t raw_room;
	struct words keys; /* what makes labels differ: the label is the run's number */
	struct words meanings; /* of sets */
};

/** The label of two sets. 0 or -ENOMEM. */
int diff_label_of(struct diff_labels *labels, __u32 before, __u32 after, __u32 *ret_label);

/** Free what @labels owns. */
void diff_labels_reset(struct diff_labels *labels);

/**
 * All reachable pairs of states of @machines (one a side), labelled. Returns 0, -ENOMEM, or -E2BIG over
 * DIFF_STATES_MAX.
 */
int diff_pair_build(const struct diff_machine machines[DIFF_SIDES], const struct diff_bytes *bytes,
		    struct diff_labels *labels, struct automaton *ret_pair);

/**
 * @pair minimised into the zeroed *@ret_small; with @changes labels that are the same on both sides
 * count as one, DIFF_SAME. 0 or -ENOMEM.
 */
int diff_pair_minimise(const struct automaton *pair, const struct diff_labels *labels, bool changes,
		       struct automaton *ret_small);

/** True when some state has a label that is not the same on both sides. */
bool diff_pair_differs(const struct automaton *pair, const struct diff_labels *labels);

/** A walk over all keys of a syntax. */
struct diff_walk {
	const struct automaton *pairs[DIFF_MACHINES];
	size_t count;
	const struct diff_bytes *bytes;
	const struct diff_syntax *syntax;
	/** Called with the labels of a key, once for each combination, shortest key first. Non-zero stops. */
	int (*visit)(void *context, const __u32 *labels, const __u8 *key, size_t length);
	void *context;
	size_t most; /* states */
};

/** Walk. Returns 0, -ENOMEM, -E2BIG over the most states, or what the visit returned. */
int diff_walk(const struct diff_walk *walk);

#endif
