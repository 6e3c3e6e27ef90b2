/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit trail as it is written: records that only grow, each chained to the one before
 * (audit/line.h), in segments of which the last one grows (audit/segment.h).
 *
 * Nothing that was written is written again. A line that was torn by a loss of power stays where it is:
 * the trail goes on in a new segment, whose first record says so. What is missing at the end, by what
 * the head file says, is not made up for either: the next record's number and hash are those that would
 * have followed, so that the gap shows.
 *
 * Records that the trail makes by itself:
 *
 *   segment     the first of each segment: segment; previous, when there was one; torn {bytes, hash} of
 *               the previous one's end; headless: true when the head file was not there, or damaged
 *   checkpoint  covered: records up to it; stopped: true when it is the last of a daemon's life; key and
 *               signature, where there is a key
 *   missed      count, first (time), error: records that could not be written
 *   removed     segment, last {seq, hash}: a segment that is over the number to keep
 */
#ifndef PICKET_AUDIT_TRAIL_H
#define PICKET_AUDIT_TRAIL_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "audit/segment.h"

/** What the trail keeps to. */
struct trail_limits {
	__u64 segment_bytes; /* the next segment begins before one would get larger; 0: never */
	__u32 keep; /* segments, the last one included; 0: all */
	__u32 checkpoint; /* records between two checkpoints; 0: only when they are asked for */
};

/** How a record is to be on the disk when trail_write() returns. */
enum trail_when {
	TRAIL_NOW, /* synced: what depends on it holds after that */
	TRAIL_SOON, /* written, to be synced by trail_sync() */
};

/** A trail. Set what is borrowed, the rest by TRAIL_NONE; trail_close() closes. */
struct trail {
	const char *lib; /* borrowed: the folder that the trail's folder is in */
	struct trail_limits limits;
	struct sign_key key; /* of checkpoints, owned; zero: they are not signed */
	/** A file or folder of the trail, to be protected from agents, or (@on false) not any more. */
	int (*protect)(void *context, int fd, bool on); /* returns 0 or -errno; may be NULL */
	/** A checkpoint is on the disk: @head is it; @signature may be NULL. May be NULL. */
	void (*headed)(void *context, const struct audit_head *head, const char *signature);
	/** Something for the log. May be NULL. */
	void (*say)(void *context, const char *text);
	void *context; /* of these, borrowed */
	int folder; /* -1: not open */
	int fd; /* of the last segment, or -1 */
	int head_fd; /* of the head file, or -1 */
	__u32 number; /* of the last segment */
	struct audit_head head; /* of what was written last */
	bool known; /* @head was written by us, and counts for more than the head file */
	bool unsynced; /* something was written and not synced */
	bool stopped; /* when it was opened first, its last record was of a clean end */
	__u64 beyond; /* records found then behind the one that was known to be synced */
	bool headless; /* to be told in the next segment's first record */
	off_t size; /* of the last segment */
	__u32 since; /* records since the last checkpoint */
	struct timespec checkpoint_at; /* CLOCK_MONOTONIC: the last one */
	__u64 missed; /* records that could not be written, not yet told */
	time_t missed_first; /* the first of them */
	int missed_error; /* why, -errno */
	int error; /* of the last try to open or to write it, 0 or -errno */
};

/** An empty value. */
#define TRAIL_NONE                                                                                 \
	{                                                                                          \
		.folder = -1, .fd = -1, .head_fd = -1, .head = AUDIT_HEAD_NONE                     \
	}

/**
 * Open the trail, or begin it. Returns 0 or -errno, which is @error too: -EPERM: a folder or file that is
 * not the caller's alone; -EBADMSG: the end of the trail is no record and nothing says what it was.
 */
int trail_open(struct trail *trail);

/**
 * Append a record, @what with the keys of @details (borrowed, may be NULL). It is opened anew when it was
 * moved away. Returns 0 or -errno; then the record is none, is counted as missed, and the trail is as it
 * was.
 */
int trail_write(struct trail *trail, const char *what, const json_t *details, enum trail_when when);

/** Have all of it on the disk. Returns 0 or -errno. */
int trail_sync(struct trail *trail);

/**
 * Write a checkpoint: of all up to it, signed where there is a key; @stopped: nothing follows. Returns as
 * trail_write().
 */
int trail_checkpoint(struct trail *trail, bool stopped);

/** After an error: could a record be written now? Changes @error if so. */
void trail_try(struct trail *trail);

/** Remove segments over the number to keep, each after a record of it. Returns 0 or -errno. */
int trail_remove_old(struct trail *trail);

/** Close it; what was written is synced. Lets go of the key. */
void trail_close(struct trail *trail);

#endif
