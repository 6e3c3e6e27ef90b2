/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What agents say of their own work (note/note.h): RUN/notes/AGENT.sock, a datagram socket for each agent,
 * whose path is PICKET_NOTES in the environment of what `picket run` starts. The agent's owner may send to
 * it, and the agent whatever its policy.
 *
 * A note counts when its sender, as the kernel names it, is a process of that agent; of anybody else it is
 * refused, and counted. The tool call is that of the sender's *parent* (`picket note` is a program of its
 * own: who called it is meant), or of the sender, where its parent is no process of the agent. It is in
 * the events of that process until it ends, and for good in those of processes that this one starts while
 * it is the newest. Where calls overlap, the newest that has not ended is meant. (In the tier network the
 * kernel tells of no starts: there a process is known from its first event on, and has the call of then.)
 *
 * Everything is a claim of the agent's, and told as one: `claimed` is true.
 */
#ifndef PICKET_DAEMON_NOTES_H
#define PICKET_DAEMON_NOTES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/diag.h"
#include "daemon/loop.h"

struct agent_entry;
struct closer;
struct daemon;

/** The folder in the run folder, and what a socket's name ends with. */
#define NOTES_FOLDER "notes"
#define NOTES_SUFFIX ".sock"
/** Most notes of one agent in a second; what is more is dropped, and counted. */
#define NOTES_RATE 100

/** The socket of one agent. */
struct note_socket {
	struct loop_source source; /* fd -1 = none */
	__u64 second; /* CLOCK_BOOTTIME */
	unsigned int count; /* of notes in that second */
	__u64 dropped; /* notes over the rate */
	__u64 told; /* of these, in records */
};

/** All of them. */
struct notes {
	int folder; /* -1 = there can be none */
	struct closer *closer; /* of what others sent along; owned */
	__u64 taken;
	__u64 refused; /* of senders that are no process of the agent */
	__u64 malformed;
	__u64 dropped; /* over the rate */
	int error; /* of the last socket that could not be made; 0 or -errno */
};

/** An empty value. */
#define NOTES_NONE                                                                                 \
	{                                                                                          \
		.folder = -1                                                                       \
	}

/** A step of daemon_open(): the folder. What goes wrong is in notes->error, and nothing fails. */
int notes_open(struct daemon *daemon, struct diag_list *diags);

/** Remove sockets that are no agent's. */
void notes_sweep(struct daemon *daemon);

/** Remove the folder below @run_fd, with what is left in it. */
void notes_remove(int run_fd);

/** Close all; the files stay, and nobody reads them. Agents are still there. */
void notes_close(struct daemon *daemon);

/** Make the socket of @entry, in place of one that an earlier picketd left. */
void note_socket_open(struct daemon *daemon, struct agent_entry *entry);

/** Remove the socket of @entry, which ends. */
void note_socket_remove(struct daemon *daemon, struct agent_entry *entry);

/** Is there a turn left for @entry in this second? What has none is counted, and told with the next. */
bool notes_may_take(struct daemon *daemon, struct agent_entry *entry);

/** For the status: {agents, without, taken, refused, malformed, dropped, error?}; NULL: no memory. */
json_t *notes_status(const struct daemon *daemon);

#endif
