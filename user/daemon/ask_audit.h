/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of answers: a file that only grows, a line for each, on the disk before the answer holds.
 */
#ifndef PICKET_DAEMON_ASK_AUDIT_H
#define PICKET_DAEMON_ASK_AUDIT_H

#include <jansson.h>
#include <sys/types.h>

/** The file, in the folder that the daemon keeps things in. */
#define AUDIT_FILE "grants.jsonl"
#define AUDIT_SCHEMA "picket.audit/1"

/** The open file; it is opened anew when it was moved away. audit_close() closes. */
struct audit {
	const char *folder; /* borrowed */
	int fd; /* -1 = none */
	int error; /* of the last try to open or to write it, 0 or -errno */
	/** A file that was opened, to be protected from agents; returns 0 or -errno. May be NULL. */
	int (*protect)(void *context, char *path);
	void *context;
};

/** Make the folder if it is missing, and open the file. Returns 0 or -errno. */
int audit_open(struct audit *audit);

/**
 * Append one line and wait until it is on the disk: @what, and the keys of @details (borrowed). Returns
 * 0 or -errno; then nothing of it counts.
 */
int audit_write(struct audit *audit, const char *what, const json_t *details);

/** After an error: could a line be written now? Changes @error if so. */
void audit_try(struct audit *audit);

/** Close it. */
void audit_close(struct audit *audit);

#endif
