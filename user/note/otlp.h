/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The logs that coding agents export (OpenTelemetry, OTLP/HTTP, ExportLogsServiceRequest), as far as they
 * tell of tool calls:
 *
 *   event          Claude Code                         Codex
 *   a call begins  claude_code.tool_decision           codex.tool_decision
 *   and ends       claude_code.tool_result             codex.tool_result
 *   its name       tool_name                           tool_name
 *   its id         tool_use_id                         call_id
 *   the session    session.id                          conversation.id
 *   how it went    success, duration_ms                success, duration_ms
 *
 * The event's name is the attribute event.name, with or without the prefix, or else the record's own
 * event name, or its body. All other records are passed over. Where an exporter writes numbers and truth
 * values as texts, they are taken as such.
 */
#ifndef PICKET_NOTE_OTLP_H
#define PICKET_NOTE_OTLP_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "note/note.h"

/** Most records of one request. */
#define OTLP_LOGS_MAX 10000U
/** Most bytes of the name of a session, without its NUL. */
#define OTLP_SESSION_MAX 128U

/** One record about a tool call. */
struct otlp_log {
	struct note note; /* the intent is never said */
	bool refused; /* NOTE_START: it was decided against; nothing runs */
	__u64 time_ns; /* CLOCK_REALTIME; 0 = not said */
	__u64 duration_ns; /* NOTE_END; 0 = not said */
	char session[OTLP_SESSION_MAX + 1]; /* "" = not said */
};

/** Called for each record about a tool call. */
typedef void (*otlp_take)(void *context, const struct otlp_log *log);

/**
 * Read a request in JSON, or in protobuf. @take may be NULL. Returns 0; -EBADMSG: it is none; -E2BIG: over
 * OTLP_LOGS_MAX. What stands before a fault was taken then: whoever wants all or nothing reads twice.
 */
int otlp_read_json(const char *bytes, size_t length, otlp_take take, void *context);
int otlp_read_protobuf(const char *bytes, size_t length, otlp_take take, void *context);

#endif
