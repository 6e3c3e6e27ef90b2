/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What audit/trail.c and audit/trail_open.c share.
 */
#ifndef PICKET_AUDIT_TRAIL_PARTS_H
#define PICKET_AUDIT_TRAIL_PARTS_H

#include "audit/trail.h"

/** Where the trail goes on. */
struct trail_end {
	__u32 next; /* number of a segment to begin; 0: in the last one */
	__u32 previous; /* the last one there was, or 0 */
	__u32 last; /* the segment to go on in */
	off_t size; /* of that */
	size_t torn; /* bytes at the end of the previous one that are no line */
	char torn_hash[SIGN_HEX]; /* of these */
};

/** Open the folder, which is made if it is missing. Returns 0 or -errno. */
int trail_open_folder(struct trail *trail);

/** Find out where the trail goes on, and with which head. Returns 0 or -errno. */
int trail_find_end(struct trail *trail, struct trail_end *ret_end);

/** Open the head file, or make it. Returns 0 or -errno. */
int trail_open_head(struct trail *trail, const struct trail_end *end);

/** Open the last segment. Returns 0 or -errno. */
int trail_open_segment(struct trail *trail, const struct trail_end *end);

/** Begin the segment @end says, with a record of that. Returns 0, or -errno: it is as it was. */
int trail_begin_segment(struct trail *trail, const struct trail_end *end);

/** Append a line, newline included, that follows the head. Returns 0 or -errno: all is as it was. */
int trail_append(struct trail *trail, const char *line, enum trail_when when);

/** Write a line for the log. */
void trail_say(const struct trail *trail, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
