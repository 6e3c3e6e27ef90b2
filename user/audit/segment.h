/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a trail, in a folder of its own: the segments trail-000001.jsonl, trail-000002.jsonl, ...,
 * of which the last one grows, and `head`, which says what was last synced. Reads; who writes is
 * audit/trail.h.
 */
#ifndef PICKET_AUDIT_SEGMENT_H
#define PICKET_AUDIT_SEGMENT_H

#include <sys/types.h>

#include "audit/line.h"

/** The folder, in that of what picketd keeps. */
#define AUDIT_FOLDER "audit"
/** The file with the head. */
#define AUDIT_HEAD_FILE "head"
/** Bytes of it: one line, filled up with blanks, so that it is written in place and in one piece. */
#define AUDIT_HEAD_SIZE 192
/** Bytes of a segment's name, NUL included. */
#define AUDIT_NAME_SIZE 32

/** Numbers of the segments in a folder, the lowest first; free(items). */
struct audit_segments {
	__u32 *items; /* owned */
	size_t count;
};

/** The end of a segment. */
struct audit_tail {
	struct audit_head head; /* of its last whole line; seq 0: it has none */
	bool damaged; /* that line is no record */
	bool stopped; /* it is the checkpoint that ends a life of the writer */
	off_t size; /* of its whole lines */
	size_t torn; /* bytes behind them */
	char torn_hash[SIGN_HEX]; /* of those bytes */
};

/** Reads lines one by one in constant memory. Zero-initialise but for the descriptor. */
struct audit_reader {
	int fd; /* borrowed; at the beginning of a line */
	char *buffer; /* owned */
	size_t start; /* of what was not given out yet */
	size_t end;
	bool skipping; /* in a line that is too long */
	size_t line; /* number of the line given last, from 1 */
};

/** Kinds of lines that a reader finds. */
enum audit_read {
	AUDIT_READ_LINE, /* whole */
	AUDIT_READ_LONG, /* over AUDIT_LINE_MAX: its first bytes */
	AUDIT_READ_TORN, /* the last one, without a newline */
	AUDIT_READ_END,
};

/** Write "trail-NNNNNN.jsonl". */
void audit_segment_name(__u32 number, char ret_name[AUDIT_NAME_SIZE]);

/** The number of a segment of that name, or 0: it is none. */
__u32 audit_segment_number(const char *name);

/** List those in the folder open as @folder. Returns 0 or -errno. */
int audit_segments_list(int folder, struct audit_segments *ret_segments);

/** Free what it owns and make it empty. */
void audit_segments_reset(struct audit_segments *segments);

/** Read the end of the segment open as @fd. Returns 0 or -errno. */
int audit_tail_read(int fd, struct audit_tail *ret_tail);

/**
 * Read the head file in the folder open as @folder. Returns 0, -ENOENT, -EBADMSG: it is damaged, or
 * another -errno.
 */
int audit_head_read(int folder, struct audit_head *ret_head);

/** Write it, through @fd. Returns 0 or -errno. */
int audit_head_write(int fd, const struct audit_head *head);

/**
 * The next line: *@ret_bytes (the reader's, until the next call) and *@ret_size, newline included.
 * Returns an enum audit_read or -errno.
 */
int audit_reader_next(struct audit_reader *reader, const char **ret_bytes, size_t *ret_size);

/** Free what it owns; the descriptor stays open. */
void audit_reader_reset(struct audit_reader *reader);

#endif
