/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events for `picket tail`: what the store has since a time, then what picketd hands out, over its restarts
 * if that is wanted. Each is handed on once.
 */
#ifndef PICKET_CLI_TAIL_STREAM_H
#define PICKET_CLI_TAIL_STREAM_H

#include <jansson.h>
#include <stdbool.h>

#include "control/client.h"
#include "telemetry/filter.h"

/** Events that are remembered, to know again what comes by both ways. */
#define TAIL_KNOWN 16384

/** What an event is known by. */
struct tail_mark {
	json_int_t seq;
	__u64 time; /* hash of its text */
};

/** What is wanted, and by whom. Set what is above the line. */
struct tail_stream {
	const char *agent; /* borrowed; NULL: all */
	const char *store; /* borrowed; path; NULL: no history */
	const struct event_filter *filter; /* borrowed; the store hands on no others */
	bool suggest;
	bool follow; /* also after picketd's end */
	json_t *classes; /* borrowed; list of names */
	/** An event; @suggest is a list, or NULL: not known. */
	void (*event)(void *context, json_t *event, const json_t *suggest);
	/** Another notification. */
	void (*other)(void *context, const char *method, const json_t *params);
	void *context;
	/* ---- */
	struct control control;
	bool filling; /* history comes first: what is new waits */
	json_t *waiting; /* owned; notifications */
	struct tail_mark known[TAIL_KNOWN]; /* the last that were handed on, a ring */
	size_t known_count; /* in all */
	char picketd[48]; /* which one it was */
	json_int_t seq; /* of the last record that we know it handed out */
};

/** Run until picketd ends (unless it is followed) or nobody reads. Returns the exit code after printing why. */
int tail_stream_run(struct tail_stream *stream);

/** Free what it owns. */
void tail_stream_reset(struct tail_stream *stream);

#endif
