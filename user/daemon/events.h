/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records on their way from the kernel, and from picketd itself, to those who asked for them. A
 * record's agent is its slot; records of slots without an agent (the proof's, ended agents') are
 * nobody's. Nothing is rendered that nobody wants, and nothing twice.
 */
#ifndef PICKET_DAEMON_EVENTS_H
#define PICKET_DAEMON_EVENTS_H

#include "control/server.h"
#include "daemon/registry.h"
#include "daemon/sinks.h"
#include "engine/destroy.h"
#include "sink/settings.h"
#include "telemetry/redact.h"

/** Records of a ring that are handed out before others get their turn. */
#define EVENTS_BATCH 256

struct lives;

/** What a subscriber wants. */
struct subscription {
	struct client *client;
	__u32 slot; /* of one agent; 0 = all that it may see */
	bool text; /* decisions also as a line for people */
	bool colour; /* that line */
	bool all; /* also processes' lives, and the records that picketd makes itself */
	bool suggest; /* denials also with what would allow them */
	unsigned int classes; /* bits: 1 << enum sink_class; 0 = what `all` says */
};

/** The road. events_open() initialises, events_reset() frees. */
struct events {
	const struct registry *registry; /* borrowed */
	/** Called for each record whose act an `ask` rule is about; may be NULL. */
	void (*asked)(void *context, struct agent_entry *entry, const struct event *event);
	void *asked_context; /* borrowed */
	struct feeds *feeds; /* borrowed; NULL = none are written */
	struct sinks *sinks; /* borrowed; NULL = none */
	struct lives *lives; /* borrowed; NULL = nothing is known of processes */
	const struct telemetry_redact
		*hide; /* borrowed; what is hidden in records; NULL = the standard */
	struct redact_settings redact; /* the same, as renderers take it */
	struct subscription *subscriptions; /* owned */
	size_t count;
	struct agent_entry nobody; /* of records of an agent's socket that somebody else holds */
	struct destroyer destroyer; /* ends refused connections */
	unsigned int batch; /* records handed out in a row */
	__u64 seq; /* of the record that was rendered last */
	__u64 delivered; /* records of agents */
	__u64 malformed;
	__u64 unmade; /* records that there was no memory for */
	__u64 nobodys; /* records of slots without an agent */
};

/** Make it ready for the agents of @registry, which is borrowed. */
void events_open(struct events *events, const struct registry *registry);

/** Add a subscription, in place of an equal one. Returns 0 or -ENOMEM. */
int events_subscribe(struct events *events, const struct subscription *subscription);

/** Forget all subscriptions of a client that is gone, or to an agent that is. */
void events_forget_client(struct events *events, const struct client *client);
void events_forget_slot(struct events *events, __u32 slot);

/** A ring_buffer_sample_fn; @context is the struct events. */
int events_take(void *context, void *bytes, size_t size);

/** What turns the records of @entry into words. */
struct event_context events_context(struct events *events, const struct agent_entry *entry,
				    bool colour);

/** Send a notification about @entry to all who see its events; @params is borrowed. */
void events_announce(struct events *events, const struct agent_entry *entry, const char *method,
		     json_t *params);

/**
 * Hand out a record that picketd makes itself (telemetry/record.h), which is about @entry, or about no
 * agent (NULL): to sinks, and to subscribers of `all` who may see it. Takes @record over, which may
 * be NULL (there was no memory for it: counted as lost).
 */
void events_tell(struct events *events, const struct agent_entry *entry, json_t *record);

/** True when somebody wants records of @class that are about @entry (NULL: about no agent). */
bool events_want(const struct events *events, const struct agent_entry *entry,
		 enum sink_class class);

/** Hand @event, a line of JSON without newline, to all who want it. */
void events_hand(struct events *events, const struct agent_entry *entry, enum sink_class class,
		 const char *event);

/** What is hidden in records. */
const struct redact_settings *events_redact(struct events *events);

/** Free what @events owns and make it empty. */
void events_reset(struct events *events);

#endif
