/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is a trail as it was written? Reads it once, line by line, in constant memory, and says of each fault
 * where it is, what it is and what to do. Changes nothing.
 */
#ifndef PICKET_AUDIT_VERIFY_H
#define PICKET_AUDIT_VERIFY_H

#include <stdbool.h>

#include "audit/anchor.h"
#include "audit/segment.h"

/** A fault. All borrowed, until the call that tells of it returns. */
struct verify_fault {
	const char *file;
	size_t line; /* 0: the file, or the folder, as a whole */
	__u64 seq; /* that the record has, or should have; 0: none */
	const char *what; /* a sentence without its full stop */
	const char *remedy; /* static */
};

/** What is looked at. All borrowed. */
struct verify_options {
	const struct sign_key *keys; /* that may have signed; none: signatures are not looked at */
	size_t key_count;
	const struct anchors *anchors; /* sorted, or NULL */
	/** Each fault, in the order of the trail. */
	void (*fault)(void *context, const struct verify_fault *fault);
	/** Each record that is one, or NULL; the bytes of its line in @text. */
	void (*record)(void *context, const struct audit_line *line, const char *text, size_t size);
	void *context;
};

/** What was found. */
struct verify_summary {
	size_t segments;
	__u64 records;
	__u64 first; /* number of the first record */
	__u64 checkpoints;
	__u64 signatures; /* of them, those that are good by the keys given */
	__u64 signed_to; /* the last checkpoint with a good one */
	__u64 torn; /* torn lines that the trail says itself */
	__u64 anchors_good;
	__u64 anchors_before; /* of records that are not there any more */
	__u64 faults;
	bool head_used; /* the head file was there to compare with */
	bool whole; /* a folder, and not one file of it */
	struct audit_head last;
};

/**
 * Verify the trail in the folder @path, or one segment of it. Returns 0, faults or not; -ENOENT: there is
 * no trail; or another -errno: it could not be read.
 */
int verify_trail(const char *path, const struct verify_options *options,
		 struct verify_summary *ret_summary);

#endif
