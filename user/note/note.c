/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strict: the sender may be anybody who is confined.
 */
#include "note/note.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

static const char *const op_names[] = {
	[NOTE_START] = "tool-start",
	[NOTE_END] = "tool-end",
};

_Static_assert(sizeof(op_names) / sizeof(op_names[0]) == NOTE__OPS, "all have a name");

const char *note_op_name(enum note_op op)
{
	return op_names[op];
}

int note_set_text(char *text, size_t max, const char *bytes, size_t length)
{
	if (length > max)
		return -E2BIG;
	if (!escape_is_plain(bytes, length))
		return -EILSEQ;
	memcpy(text, bytes, length);
	text[length] = '\0';
	return 0;
}

void note_fit_text(char *text, size_t max, const char *bytes, size_t length)
{
	size_t used = 0;

	for (size_t at = 0; at < length;) {
		size_t step = escape_utf8(bytes + at, length - at, NULL);
		bool plain = step && escape_plain(bytes + at, length - at) == step;

		if (step == 0 || used + (plain ? step : 1) > max)
			break;
		if (plain)
			memcpy(text + used, bytes + at, step);
		else
			text[used] = ' ';
		used += plain ? step : 1;
		at += step;
	}
	text[used] = '\0';
}

/* --- Messages
 * -------------------------------------------------------------------------------------
 */

/* NULL stands for a key that is left out. */
static json_t *said(const char *text)
{
	return *text ? json_string(text) : NULL;
}

char *note_encode(const struct note *note, size_t *ret_length)
{
	bool ends = note->op == NOTE_END;
	json_t *object = json_pack("{s:s, s:s, s:o*, s:o*, s:o*, s:o*}", "schema", NOTE_SCHEMA,
				   "op", op_names[note->op], "tool", said(note->tool), "call_id",
				   said(note->call_id), "intent", ends ? NULL : said(note->intent),
				   "status",
				   ends && note->has_status ? json_integer(note->status) : NULL);
	char *bytes = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (bytes)
		*ret_length = strlen(bytes);
	return bytes;
}

static int take_text(const json_t *value, char *text, size_t max)
{
	if (!json_is_string(value))
		return -EBADMSG;
	return note_set_text(text, max, json_string_value(value), json_string_length(value)) ?
		       -EBADMSG :
		       0;
}

static int take_status(const json_t *value, struct note *note)
{
	json_int_t status = json_integer_value(value);

	if (!json_is_integer(value) || note->op != NOTE_END || status < INT_MIN || status > INT_MAX)
		return -EBADMSG;
	note->has_status = true;
	note->status = (int)status;
	return 0;
}

static int take_key(const char *key, const json_t *value, struct note *note)
{
	if (strcmp(key, "schema") == 0 || strcmp(key, "op") == 0)
		return 0;
	if (strcmp(key, "tool") == 0)
		return take_text(value, note->tool, NOTE_TOOL_MAX);
	if (strcmp(key, "call_id") == 0)
		return take_text(value, note->call_id, NOTE_CALL_MAX);
	if (strcmp(key, "intent") == 0 && note->op == NOTE_START)
		return take_text(value, note->intent, NOTE_INTENT_MAX);
	if (strcmp(key, "status") == 0)
		return take_status(value, note);
	return -EBADMSG;
}

static int take_op(const json_t *object, struct note *note)
{
	const char *schema = json_string_value(json_object_get(object, "schema"));
	const char *op = json_string_value(json_object_get(object, "op"));

	if (!schema || !op || strcmp(schema, NOTE_SCHEMA) != 0)
		return -EBADMSG;
	for (int i = 0; i < NOTE__OPS; i++) {
		if (strcmp(op, op_names[i]) == 0) {
			note->op = (enum note_op)i;
			return 0;
		}
	}
	return -EBADMSG;
}

int note_decode(const char *bytes, size_t length, struct note *ret_note)
{
	struct note note = { 0 };
	json_t *object =
		length > NOTE_MAX ? NULL : json_loadb(bytes, length, JSON_REJECT_DUPLICATES, NULL);
	int r = take_op(object, &note);
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		if (r == 0)
			r = take_key(key, value, &note);
	}
	json_decref(object);
	if (r == 0 && note.op == NOTE_START && !note.tool[0])
		r = -EBADMSG;
	if (r == 0)
		*ret_note = note;
	return r;
}

/* --- Hooks
 * ----------------------------------------------------------------------------------------
 */

/* Whatever a harness says is taken as far as it can be. */
static void fit(char *text, size_t max, const json_t *value)
{
	if (json_is_string(value))
		note_fit_text(text, max, json_string_value(value), json_string_length(value));
}

static int take_event(const json_t *object, struct note *note)
{
	const char *event = json_string_value(json_object_get(object, "hook_event_name"));

	if (!event)
		return -ENOMSG;
	if (strcmp(event, "PreToolUse") == 0)
		return 0;
	note->op = NOTE_END;
	note->has_status = true;
	note->status = strcmp(event, "PostToolUseFailure") == 0;
	return note->status || strcmp(event, "PostToolUse") == 0 ? 0 : -ENOMSG;
}

int note_from_hook(const char *bytes, size_t length, struct note *ret_note)
{
	struct note note = { .op = NOTE_START };
	json_t *object = json_loadb(bytes, length, 0, NULL);
	const json_t *input = json_object_get(object, "tool_input");
	int r = json_is_object(object) ? take_event(object, &note) : -EBADMSG;

	if (r == 0) {
		fit(note.tool, NOTE_TOOL_MAX, json_object_get(object, "tool_name"));
		fit(note.call_id, NOTE_CALL_MAX, json_object_get(object, "tool_use_id"));
		r = note.tool[0] ? 0 : -EINVAL;
	}
	if (r == 0 && note.op == NOTE_START) {
		fit(note.intent, NOTE_INTENT_MAX, json_object_get(input, "description"));
		if (!note.intent[0])
			fit(note.intent, NOTE_INTENT_MAX, json_object_get(input, "command"));
	}
	json_decref(object);
	if (r == 0)
		*ret_note = note;
	return r;
}
