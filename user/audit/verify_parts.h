/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What audit/verify.c and audit/verify_chain.c share: the chain, against which records are held one by
 * one. Which of two records was changed, the one after them tells.
 */
#ifndef PICKET_AUDIT_VERIFY_PARTS_H
#define PICKET_AUDIT_VERIFY_PARTS_H

#include "audit/verify.h"

/** A record and where it is. */
struct verify_place {
	char file[AUDIT_NAME_SIZE + 4096];
	size_t line;
	struct audit_head head; /* its number and hash */
	bool unbound; /* the first one there is: nothing before it says what it should be */
	bool unknown; /* it was changed: what its hash was is not known */
};

/** How far the chain is. */
struct verify_chain {
	bool begun;
	struct verify_place last; /* the next one follows it */
	struct verify_place other; /* or this one, when the last does not belong there */
	bool has_other;
	bool doubted; /* the last does not follow `other`: one of the two was changed */
};

/** All of a verification. */
struct verifier {
	const struct verify_options *options;
	struct verify_summary *summary;
	struct verify_chain chain;
	size_t anchor; /* the next to compare with */
	bool signs; /* there was a good signature */
	char folder[4096]; /* that files are told with; "" for one file */
	__u32 first_segment; /* number of the first one there is; 0: one file is looked at */
	char first_prev[SIGN_HEX]; /* what its first record is chained to */
	bool first_removed; /* a record says that the one before it was removed */
	struct verify_place torn_place; /* the line that the segment before ends with */
	size_t torn; /* bytes of that; 0: none */
	char torn_hash[SIGN_HEX];
};

/** Tell of a fault at @place. */
void verify_tell(struct verifier *verifier, const struct verify_place *place, const char *remedy,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Hold the record at @place, whose `prev` is @prev, against the chain; @place is the last one then. */
void verify_follow(struct verifier *verifier, struct verify_place *place, const char *prev);

/** The line at @place is no record: @why. */
void verify_break(struct verifier *verifier, const struct verify_place *place, const char *why);

/** There are no more records. @head: the head file's, or NULL. */
void verify_end(struct verifier *verifier, const struct audit_head *head);

#endif
