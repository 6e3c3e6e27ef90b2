/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of metrics: http://ADDRESS/metrics, where telemetry.yaml says so. Everything on it is read when
 * it is asked for; only what ended agents counted is kept.
 */
#ifndef PICKET_DAEMON_METRICS_H
#define PICKET_DAEMON_METRICS_H

#include <jansson.h>
#include <time.h>

#include <picket/abi.h>

#include "base/diag.h"
#include "metrics/tally.h"

struct agent_entry;
struct daemon;
struct http;

/** Most maps that are shown. */
#define METRICS_MAPS_MAX 64

/** What agents counted that are no more, since picketd started. */
struct metrics_ended {
	struct decision_tally decisions;
	__u64 counts[PK_COUNT__MAX];
	__u64 events;
	__u64 untold;
	__u64 untold_allowed;
};

/** How full a map was. */
struct metrics_map {
	char name[32];
	__u64 entries;
	__u64 room;
};

/** The page; metrics_close() frees. */
struct metrics {
	struct http *http; /* NULL = there is none */
	char *address; /* owned; as it was asked for, or NULL */
	char *error; /* owned; why it is not there, or NULL */
	struct metrics_ended ended;
	struct metrics_map maps[METRICS_MAPS_MAX];
	size_t map_count;
	time_t counted; /* CLOCK_MONOTONIC: when maps were counted; 0 = never */
};

/**
 * Show the page where the settings say. That it cannot be shown is no reason not to run: it is said, and
 * tried again. Returns 0.
 */
int metrics_open(struct daemon *daemon, struct diag_list *diags);

/** Go by the settings as they are now. */
void metrics_reload(struct daemon *daemon);

/** Try again what did not work. */
void metrics_check(struct daemon *daemon);

/** Keep what the agent of @entry counted, @counts being the kernel's: it is no more. */
void metrics_end_agent(struct daemon *daemon, const struct agent_entry *entry,
		       const __u64 counts[PK_COUNT__MAX]);

/** For the status: {address, connections, requests, refused, cut} or {address, error}; NULL: no page. */
json_t *metrics_status(const struct daemon *daemon);

/** The page itself, malloc'ed. Returns 0 or -ENOMEM. */
int metrics_page(struct daemon *daemon, char **ret_text, size_t *ret_length);

/** Free what it owns. */
void metrics_close(struct metrics *metrics);

#endif
