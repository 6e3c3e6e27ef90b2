/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was refused to an agent, in a file that the agent itself may read: RUN/feeds/AGENT.jsonl, whose
 * path is PICKET_DENIALS in the environment of what `picket run` starts. A line for each decision:
 *
 *   the event as telemetry/json.h has it, and
 *   text      the line for people
 *   suggest   list of what would allow it: the command of an approver, lines of a policy; absent when
 *             nothing does
 *
 * or {"schema":"picket.feed/1","dropped":N}: N lines in all are missing, the last of them here. Lines are
 * missing when there were more than FEED_RATE in a second, when the file was over FEED_MAX and lost its
 * older half, or when the file system was full: nothing waits for a feed.
 *
 * The file is replaced by rename: whoever opens it by its name finds whole lines. It belongs to root; the
 * agent's owner may read it, and the agent whatever its policy.
 */
#ifndef PICKET_DAEMON_FEED_H
#define PICKET_DAEMON_FEED_H

#include <jansson.h>

#include "telemetry/event.h"

struct agent_entry;

/** The folder in the run folder. */
#define FEED_FOLDER "feeds"
/** Most bytes of a feed. */
#define FEED_MAX (1U << 20)
/** Most lines in a second. */
#define FEED_RATE 200

/** One feed. */
struct feed {
	int fd; /* -1 = none */
	size_t size; /* bytes of whole lines */
	__u64 dropped; /* lines that are missing in all */
	__u64 told; /* of these, in the file */
	__u64 second; /* CLOCK_BOOTTIME */
	unsigned int lines; /* in that second */
};

/** An empty value. */
#define FEED_NONE                                                                                  \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/** All of them. */
struct feeds {
	int folder; /* -1 = there can be none */
	int own; /* the map of picket's own files; borrowed; -1 = none */
	__u64 dropped; /* lines that are missing, of all agents */
	int error; /* of the last one that could not be made or written; 0 or -errno */
};

/** An empty value. */
#define FEEDS_NONE                                                                                 \
	{                                                                                          \
		.folder = -1, .own = -1                                                            \
	}

/** Make or find the folder below @run_fd. What goes wrong is in feeds->error. */
void feeds_open(struct feeds *feeds, int run_fd, int own);

/** Remove files that are no agent's; @is_agents says whose a name without ".jsonl" is. */
void feeds_sweep(struct feeds *feeds, bool (*is_agents)(void *context, const char *id),
		 void *context);

/** Remove the folder below @run_fd, with what is left in it. */
void feeds_remove(int run_fd);

/** Close the folder; files stay. */
void feeds_close(struct feeds *feeds);

/** Make the feed of @entry, or find it again. What goes wrong is in feeds->error. */
void feed_open(struct feeds *feeds, struct agent_entry *entry);

/** Does @event belong into a feed? */
bool feed_takes(const struct event *event);

/** Add @event, whose JSON is @json and whose words @context makes, to the feed of @entry, if it has one. */
void feed_add(struct feeds *feeds, struct agent_entry *entry, const struct event *event,
	      const struct event_context *context, const char *json);

/** What would allow what @event says was refused: an array of texts, empty when nothing does; NULL: no memory. */
json_t *feed_suggestions(const struct event *event, const struct event_context *context);

/** The last @last lines about denials, oldest first; NULL: no memory. */
json_t *feed_read(const struct feed *feed, size_t last);

/** Remove the feed of @entry, which ends. */
void feed_remove(struct feeds *feeds, struct agent_entry *entry);

#endif
