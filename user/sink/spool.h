/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines on disk until they are delivered: written before anything else is done with them, so that the
 * end of any process loses none. A folder of segments, NUMBER.lines, each line with a letter for its
 * class in front ("d{...}"), and the file `position`: SEGMENT OFFSET behind the last delivered line.
 * Nothing is synced: what a machine's crash leaves may be less.
 */
#ifndef PICKET_SINK_SPOOL_H
#define PICKET_SINK_SPOOL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

#include "sink/line.h"

/** A place between two lines: number of the segment << 32 | offset. 0 = nowhere. */
typedef __u64 spool_place;

/** One sink's. spool_close() frees. */
struct spool {
	int folder; /* -1 = closed */
	int position; /* the file */
	int segment; /* the last one, for writing; -1 = begun with the next line */
	FILE *reader; /* the segment that is read, or NULL */
	size_t limit; /* bytes of all segments */
	size_t bytes;
	__u32 first, last; /* numbers of segments that are there */
	__u32 size; /* of the last */
	spool_place read; /* behind the last line that was read or passed over */
	spool_place done; /* behind the last delivered one */
	int error; /* of the last line that could not be written; 0 or -errno */
};

/** An empty value. */
#define SPOOL_NONE                                                                                 \
	{                                                                                          \
		.folder = -1, .position = -1, .segment = -1                                        \
	}

/**
 * Open or make the folder @name in @parent. @counts[class] rises by what waits in it; reading begins
 * with that. Returns 0 or -errno.
 */
int spool_open(struct spool *spool, int parent, const char *name, size_t limit,
	       __u64 counts[SINK__CLASSES]);

/** Add a line. Returns 0, -ENOSPC (over the limit, or the disk is full) or another -errno. */
int spool_add(struct spool *spool, const struct sink_line *line);

/** Where the next line would begin. */
spool_place spool_end(const struct spool *spool);

/** Pass over everything: the next spool_read() gives what is added from now on. */
void spool_skip(struct spool *spool);

/**
 * The next line. Returns 0; -ENODATA: all were read; another -errno: what is left cannot be read.
 */
int spool_read(struct spool *spool, struct sink_line **ret_line);

/** All lines before @place are delivered. Segments without others are removed. */
void spool_done(struct spool *spool, spool_place place);

/** Remove all lines. */
void spool_clear(struct spool *spool);

/** Close it; the lines stay. */
void spool_close(struct spool *spool);

#endif
