/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What coding agents export of their tool calls (note/otlp.h), taken by HTTP on loopback where
 * telemetry.yaml says so (receive.otlp): POST /v1/logs, JSON or protobuf, plain or gzip. Whoever may reach
 * that address may say anything about itself; whose telemetry it is, the kernel says: the agent in whose
 * cgroup the connection's other end was made. What comes from no agent is told without one.
 *
 * From the record that a call began until that of its end, or for RECEIVER_CALL_NS, it is the `context.tool` of
 * all processes of the agent that have no other (hooks and variables say more exactly whose a call is).
 * Exporters wait some seconds before they send, and what was done meanwhile has no mark: therefore the record of
 * a call that ended has `denials`: the last of what was refused to the agent in that time, or by the call's own
 * id, from its feed.
 */
#ifndef PICKET_DAEMON_RECEIVER_H
#define PICKET_DAEMON_RECEIVER_H

#include <jansson.h>

#include "base/diag.h"

#include <linux/types.h>

struct daemon;
struct http;

/** How long a call goes on of which no end is told. */
#define RECEIVER_CALL_NS (600 * 1000000000ULL)
/** Most denials in the record of one call. */
#define RECEIVER_DENIALS_MAX 32U
/**
 * Most records about calls of no agent in a second; what is more is dropped, and counted. An agent has one
 * rate for these and its notes (daemon/notes.h).
 */
#define RECEIVER_RATE 100U

/** The receiver. Zero-initialise. */
struct receiver {
	struct http *http; /* NULL = none */
	char *address; /* owned; NULL = nothing is to be received */
	char *error; /* owned; why there is none */
	__u64 calls; /* records about calls that were taken */
	__u64 strangers; /* of these, of no agent */
	__u64 malformed; /* requests */
	__u64 dropped; /* records of no agent over the rate */
	__u64 second; /* CLOCK_BOOTTIME */
	unsigned int count; /* of records in that second */
};

/** A step of daemon_open(). What goes wrong is said, tried again, and nothing fails. */
int receiver_open(struct daemon *daemon, struct diag_list *diags);

/** Listen where the settings say now. */
void receiver_reload(struct daemon *daemon);

/** Try again what went wrong. */
void receiver_check(struct daemon *daemon);

/** For the status: {address, calls, strangers, malformed, dropped, error?}, or NULL: there is none to be. */
json_t *receiver_status(const struct daemon *daemon);

/** Stop. */
void receiver_close(struct receiver *receiver);

#endif
