/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the raw bytes of a ring buffer to a record of a process's life whose every field is in range;
 * what event.h is for events.
 */
#ifndef PICKET_TELEMETRY_LIFE_H
#define PICKET_TELEMETRY_LIFE_H

#include <stdbool.h>
#include <stddef.h>

#include <picket/abi.h>

#include "telemetry/event.h"

/** A checked record. The texts point into the raw bytes it was decoded from. */
struct life {
	struct pk_life head; /* what below its __MAX, flags known, lengths those of the texts */
	struct event_path text; /* PROGRAM: path of the program; CONTEXT: working directory */
	struct event_path
		text2; /* words, or variables: each ended by a NUL but for the last if cut */
	char comm[17]; /* NUL-terminated, may hold any other byte */
};

/** True when the @size bytes at @bytes are of such a record, well formed or not. */
bool life_is(const void *bytes, size_t size);

/**
 * Check and take apart the @size bytes at @bytes (as the ring buffer gave them). Returns 0;
 * -EPROTONOSUPPORT for a record of another ABI version; -EBADMSG for a malformed one.
 */
int life_decode(const void *bytes, size_t size, struct life *ret_life);

/** "fork", "program", "context", "exit": enum pk_life_what. */
const char *life_name(__u32 what);

#endif
