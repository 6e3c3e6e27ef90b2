/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What both readers of OTLP share: a record under way, filled by its attributes.
 */
#ifndef PICKET_NOTE_OTLP_LOG_H
#define PICKET_NOTE_OTLP_LOG_H

#include "note/otlp.h"

/** Most bytes of an event's name, and of other short texts, without their NUL. */
#define OTLP_TEXT_MAX 64U

/** A record under way. Zero-initialise, then the resource's attributes, then its own. */
struct otlp_draft {
	struct otlp_log log;
	char event[OTLP_TEXT_MAX + 1]; /* attribute event.name */
	char own[OTLP_TEXT_MAX + 1]; /* the record's event name, or else its body */
	char decision[OTLP_TEXT_MAX + 1];
	char success[OTLP_TEXT_MAX + 1];
	double duration_ms;
};

/** An attribute's key; borrowed, without NUL. */
struct otlp_key {
	const char *bytes;
	size_t length;
};

/** An attribute that is a text; those that mean nothing here are passed over. */
void otlp_draft_text(struct otlp_draft *draft, const struct otlp_key *key, const char *bytes,
		     size_t length);

/** An attribute that is a number, or a truth value. */
void otlp_draft_number(struct otlp_draft *draft, const struct otlp_key *key, double number);
void otlp_draft_truth(struct otlp_draft *draft, const struct otlp_key *key, bool truth);

/** The record's own event name, or its body (@is_name false), which counts for less. */
void otlp_draft_own(struct otlp_draft *draft, const char *bytes, size_t length, bool is_name);

/** True when it tells of a tool call; then draft->log is whole. */
bool otlp_draft_close(struct otlp_draft *draft);

#endif
