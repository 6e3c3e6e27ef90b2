/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a note means: whose tool call it is, and the record of it.
 */
#ifndef PICKET_DAEMON_NOTES_TAKE_H
#define PICKET_DAEMON_NOTES_TAKE_H

#include <sys/types.h>

#include "note/note.h"
#include "process/call.h"

struct agent_entry;
struct daemon;

/** The agent that the process @pid is in, or NULL: none, or that cannot be told. */
struct agent_entry *notes_agent_of(struct daemon *daemon, pid_t pid);

/**
 * Take a note that the process @pid sent to @entry's socket, and tell it. Records of the kernel are handed
 * out before. Returns 0, or -EACCES: it is no process of that agent.
 */
int notes_take(struct daemon *daemon, struct agent_entry *entry, const struct note *note,
	       pid_t pid);

#endif
