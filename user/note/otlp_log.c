/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of keys, each of which belongs into one place.
 */
#include "note/otlp_log.h"

#include <stdlib.h>
#include <string.h>

/* Where a text belongs. */
struct place {
	const char *key;
	size_t offset; /* in struct otlp_draft */
	size_t max; /* bytes without NUL */
};

#define LOG offsetof(struct otlp_draft, log)
#define NOTE (LOG + offsetof(struct otlp_log, note))

/* clang-format off */
static const struct place places[] = {
	{ "event.name", offsetof(struct otlp_draft, event), OTLP_TEXT_MAX },
	{ "decision", offsetof(struct otlp_draft, decision), OTLP_TEXT_MAX },
	{ "success", offsetof(struct otlp_draft, success), OTLP_TEXT_MAX },
	{ "tool_name", NOTE + offsetof(struct note, tool), NOTE_TOOL_MAX },
	{ "tool_use_id", NOTE + offsetof(struct note, call_id), NOTE_CALL_MAX },
	{ "call_id", NOTE + offsetof(struct note, call_id), NOTE_CALL_MAX },
	{ "session.id", LOG + offsetof(struct otlp_log, session), OTLP_SESSION_MAX },
	{ "conversation.id", LOG + offsetof(struct otlp_log, session), OTLP_SESSION_MAX },
};
/* clang-format on */

/* The most that a duration may be: a year. */
#define DURATION_MS_MAX (366.0 * 86400e3)

static bool is_key(const struct otlp_key *key, const char *name)
{
	return key->length == strlen(name) && memcmp(key->bytes, name, key->length) == 0;
}

void otlp_draft_text(struct otlp_draft *draft, const struct otlp_key *key, const char *bytes,
		     size_t length)
{
	char number[OTLP_TEXT_MAX + 1];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (is_key(key, places[i].key))
			note_fit_text((char *)draft + places[i].offset, places[i].max, bytes,
				      length);
	}
	if (is_key(key, "duration_ms")) {
		note_fit_text(number, OTLP_TEXT_MAX, bytes, length);
		otlp_draft_number(draft, key, strtod(number, NULL));
	}
}

void otlp_draft_number(struct otlp_draft *draft, const struct otlp_key *key, double number)
{
	/* Written so that no number at all is refused too. */
	if (is_key(key, "duration_ms") && number >= 0 && number <= DURATION_MS_MAX)
		draft->duration_ms = number;
}

void otlp_draft_truth(struct otlp_draft *draft, const struct otlp_key *key, bool truth)
{
	const char *word = truth ? "true" : "false";

	if (is_key(key, "success"))
		memcpy(draft->success, word, strlen(word) + 1);
}

void otlp_draft_own(struct otlp_draft *draft, const char *bytes, size_t length, bool is_name)
{
	if (is_name || !draft->own[0])
		note_fit_text(draft->own, OTLP_TEXT_MAX, bytes, length);
}

/* The part behind the last point: all exporters agree in that. */
static bool is_event(const struct otlp_draft *draft, const char *name)
{
	const char *event = draft->event[0] ? draft->event : draft->own;
	const char *point = strrchr(event, '.');

	return strcmp(point ? point + 1 : event, name) == 0;
}

static bool is_refusal(const char *decision)
{
	static const char *const words[] = { "reject", "rejected", "denied", "deny", "abort" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(decision, words[i]) == 0)
			return true;
	}
	return false;
}

bool otlp_draft_close(struct otlp_draft *draft)
{
	struct otlp_log *log = &draft->log;

	if (is_event(draft, "tool_decision")) {
		log->note.op = NOTE_START;
		log->refused = is_refusal(draft->decision);
	} else if (is_event(draft, "tool_result")) {
		log->note.op = NOTE_END;
		log->note.has_status = draft->success[0] != '\0';
		log->note.status = strcmp(draft->success, "true") != 0;
		log->duration_ns = (__u64)(draft->duration_ms * 1e6);
	} else {
		return false;
	}
	return log->note.tool[0] || log->note.call_id[0];
}
