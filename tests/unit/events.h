/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event records for tests: the bytes as the kernel side would write them, and the decoded form.
 */
#ifndef PICKET_TESTS_UNIT_EVENTS_H
#define PICKET_TESTS_UNIT_EVENTS_H

#include "telemetry/event.h"

/** A record under construction, with room for two paths. */
struct raw_event {
	struct pk_event head;
	char tail[2 * PK_PATH_MAX];
};

/** A denial of opening a file for reading, by the default of the section, by cat below bash. */
void raw_event_open(struct raw_event *raw, const char *path);

/** Set the paths (@path2 NULL: one) and the sizes. */
void raw_event_paths(struct raw_event *raw, const char *path, const char *path2);

/** A denial of a TCP connect to @address (text, either family) at @port by a default. */
void raw_event_connect(struct raw_event *raw, const char *address, unsigned int port);

/** A denial of operation @op about the host name @host, by the default, of a connection as above. */
void raw_event_host(struct raw_event *raw, enum pk_op op, const char *host, const char *address,
		    unsigned int port);

/** A denial by the switch @guard of the process section, by its default, of operation @op. */
void raw_event_guard(struct raw_event *raw, enum pk_op op, enum pk_guard guard);

/** Make @raw a denied command line: the program and @words, @size bytes, each ended by a NUL. */
void raw_event_command(struct raw_event *raw, const char *program, const char *words, size_t size);

/** Decode @raw, which must be well formed. */
struct event raw_event_decode(const struct raw_event *raw);

#endif
