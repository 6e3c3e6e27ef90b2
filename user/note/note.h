/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an agent says of its own work: a tool call begins, or ends. One message
 * is one datagram, an object of JSON with these keys and no others:
 *
 *   schema   "picket.note/1"
 *   op       "tool-start" or "tool-end"
 *   tool     name of the tool; op "tool-end": may be left out
 *   call_id  what the agent calls this call; may be left out
 *   intent   op "tool-start": what it is for; may be left out
 *   status   op "tool-end": a number, 0 = it went well; may be left out
 *
 * It is a claim of the agent's, whatever it says: nothing is decided by it.
 */
#ifndef PICKET_NOTE_NOTE_H
#define PICKET_NOTE_NOTE_H

#include <stdbool.h>
#include <stddef.h>

/** Variable of the command's environment: the socket that takes notes. */
#define NOTE_VARIABLE "PICKET_NOTES"
#define NOTE_SCHEMA "picket.note/1"
/** Most bytes of a message. */
#define NOTE_MAX 4096U
/** Most bytes of the texts, without their NUL. */
#define NOTE_TOOL_MAX 128U
#define NOTE_CALL_MAX 256U
#define NOTE_INTENT_MAX 1024U

/** What begins or ends. */
enum note_op { NOTE_START, NOTE_END, NOTE__OPS };

/** One note. A text that was not said is "". */
struct note {
	enum note_op op;
	char tool[NOTE_TOOL_MAX + 1];
	char call_id[NOTE_CALL_MAX + 1];
	char intent[NOTE_INTENT_MAX + 1];
	bool has_status;
	int status;
};

/** "tool-start", "tool-end". */
const char *note_op_name(enum note_op op);

/**
 * Store @length bytes at @bytes in @text, which has room for @max bytes and a
 * NUL. Returns 0; -E2BIG: too long; -EILSEQ: not UTF-8, or with characters that
 * are not shown (base/escape.h).
 */
int note_set_text(char *text, size_t max, const char *bytes, size_t length);

/**
 * The same, made to fit: what is not shown becomes a blank, and what is too
 * long is cut, between two characters. What is not UTF-8 ends it.
 */
void note_fit_text(char *text, size_t max, const char *bytes, size_t length);

/** The message, malloc'ed, of *@ret_length bytes; NULL: no memory. */
char *note_encode(const struct note *note, size_t *ret_length);

/** Read a message. Returns 0, or -EBADMSG when it is none; *@ret_note is whole
 * or untouched. */
int note_decode(const char *bytes, size_t length, struct note *ret_note);

/**
 * Read what a harness (Claude Code, Codex) gives its hooks on standard input:
 * hook_event_name says whether a call begins (PreToolUse) or ends (PostToolUse,
 * PostToolUseFailure: status 0, 1), tool_name and tool_use_id which one. The
 * description in tool_input is the intent, or else its command. Returns 0;
 * -EBADMSG: not an object of JSON; -ENOMSG: of another event; -EINVAL: without
 * a tool_name.
 */
int note_from_hook(const char *bytes, size_t length, struct note *ret_note);

#endif
