/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting events by a key, with a bound on the number of keys: what is over it is counted together.
 */
#ifndef PICKET_REPORT_TALLY_H
#define PICKET_REPORT_TALLY_H

#include <jansson.h>
#include <stddef.h>

#include <linux/types.h>

/** Most keys of a tally. */
#define TALLY_MAX 20000

/** What was done with what is counted. */
enum tally_what { TALLY_DENIED, TALLY_ASKED, TALLY_OTHER, TALLY__MAX };

/** What was counted by one key. */
struct tally_row {
	char *key; /* owned */
	json_t *sample; /* the first event; owned */
	__u64 count[TALLY__MAX];
	__u64 audited; /* of those denied: audit mode, so nothing was blocked */
	unsigned int access; /* bits of the caller */
	__s64 first_ns, last_ns;
};

/** All of it. Zero-initialise; tally_reset() frees. */
struct tally {
	struct tally_row *rows; /* in the order in which they came; tally_sort() changes that */
	size_t count, room;
	size_t *slots; /* hash table of numbers of rows, from 1 */
	size_t slot_count;
	__u64 left_out; /* counted without a row */
};

/**
 * Count @times of @what by @key. Returns the row, in which the caller may note more; or NULL: there are
 * too many keys or no memory, and it is counted as left out.
 */
struct tally_row *tally_add(struct tally *tally, const char *key, enum tally_what what, __u64 times,
			    __s64 when_ns);

/** The row of @key, or NULL. */
const struct tally_row *tally_find(const struct tally *tally, const char *key);

/** Most refused first, then most at all, then by time. No row can be added or found after that. */
void tally_sort(struct tally *tally);

/** Free what it owns and make it empty. */
void tally_reset(struct tally *tally);

#endif
