/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record's line of JSON, once in memory however many sinks wait to send it.
 */
#ifndef PICKET_SINK_LINE_H
#define PICKET_SINK_LINE_H

#include <stddef.h>

#include "sink/sink.h"

/** A line with its own storage. */
struct sink_line {
	unsigned int users;
	enum sink_class class;
	size_t length;
	char text[]; /* length bytes and a NUL, no newline */
};

/** A copy of @length bytes at @text, with one user; NULL without memory. */
struct sink_line *sink_line_new(enum sink_class class, const char *text, size_t length);

/** One user more; returns @line. */
struct sink_line *sink_line_use(struct sink_line *line);

/** One user less: the last one's frees it. Accepts NULL; resets. */
void sink_line_drop(struct sink_line **line);

/**
 * The agent of a record, *@ret_length bytes inside of the line; NULL: none. The head of a record has
 * nothing in it that others write.
 */
const char *sink_line_agent(const struct sink_line *line, size_t *ret_length);

#endif
