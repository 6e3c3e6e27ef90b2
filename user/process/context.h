/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program's environment says of what it is for. Understood are, besides TRACEPARENT (W3C Trace
 * Context), which is passed on as it is when it is valid:
 *
 *   PICKET_SESSION   the session that the work belongs to
 *   PICKET_TASK      the task in it
 *   PICKET_TOOL, PICKET_CALL_ID, PICKET_INTENT   the tool call that this is: name, id, and what it is to do
 *   PICKET_TAG_*     anything else, by names of one's own
 *
 * Others that begin with PICKET_ are picket's own (PICKET_DENIALS) and are passed over. Variables are kept
 * as the kernel tells them: NAME=VALUE, each ended by a NUL.
 */
#ifndef PICKET_PROCESS_CONTEXT_H
#define PICKET_PROCESS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

/** Characters of a traceparent, and of the trace id in it. */
#define CONTEXT_TRACE_LENGTH 55
#define CONTEXT_TRACE_ID_AT 3
#define CONTEXT_TRACE_ID_LENGTH 32

/** One variable; points into the text it was found in. */
struct context_variable {
	const char *name;
	size_t name_length;
	const char *value;
	size_t value_length;
};

/** True when @text, @length bytes, begins with a traceparent and ends with it (version 00) or goes on
 * after a '-' (later versions). */
bool context_trace_valid(const char *text, size_t length);

/** True when a variable of this name is a tag: understood, and not about a tool call. */
bool context_is_tag(const char *name, size_t length);

/** True when a variable of this name is understood at all. */
bool context_is_known(const char *name, size_t length);

/**
 * Take the variable at *@at out of the @size bytes at @text, and move *@at behind it; one without '=' is
 * passed over, so is one that a cut left without end. False: there is none left.
 */
bool context_next(const char *text, size_t size, size_t *at, struct context_variable *ret_variable);

/** The variable @name in the @size bytes at @text; false: there is none. */
bool context_find(const char *text, size_t size, const char *name,
		  struct context_variable *ret_variable);

/** The same, by a name of @length bytes. */
bool context_find_named(const char *text, size_t size, const struct context_variable *like,
			struct context_variable *ret_variable);

#endif
