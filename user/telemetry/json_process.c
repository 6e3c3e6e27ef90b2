/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who did it, below whom, and for what. What may hold secrets is shown without them; where there is no memory
 * to find them, it is left out.
 */
#include "telemetry/json_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "telemetry/names.h"
#include "telemetry/process_view.h"
#include "telemetry/redact.h"
#include "telemetry/shown.h"

void json_put_time(struct json_writer *to, const char *key, __u64 ns,
		   const struct event_context *context)
{
	struct timespec when = event_time(ns, context->clock_offset_ns);

	json_write_time(to, key, when.tv_sec, when.tv_nsec);
}

void json_put_path(struct json_writer *to, const char *key, const char *hex_key,
		   struct event_path path, const struct event_context *context)
{
	CLEAN(redacted_reset) struct redacted shown = { 0 };

	if (path.length == 0)
		return;
	if (redact_path(event_hidden(context), path.bytes, path.length, &shown)) {
		to->failed = true;
		return;
	}
	json_write_bytes(to, key, shown.bytes, shown.length);
	if (hex_key && !shown.hidden && !escape_is_utf8(path.bytes, path.length))
		json_write_hex(to, hex_key, path.bytes, path.length);
}

void json_put_command(struct json_writer *to, const char *key, struct event_path words,
		      const struct event_context *context)
{
	CLEAN(redacted_reset) struct redacted shown = { 0 };
	size_t length;

	if (redact_words(event_hidden(context), words.bytes, words.length, &shown)) {
		to->failed = true;
		return;
	}
	length = shown.length;
	if (length && shown.bytes[length - 1] == '\0')
		length--;
	for (size_t i = 0; i < length; i++)
		shown.bytes[i] = shown.bytes[i] == '\0' ? ' ' : shown.bytes[i];
	json_write_bytes(to, key, shown.bytes, length);
}

void json_put_words(struct json_writer *to, const char *key, struct event_path words,
		    const struct event_context *context)
{
	CLEAN(redacted_reset) struct redacted shown = { 0 };

	if (words.length == 0)
		return;
	if (redact_words(event_hidden(context), words.bytes, words.length, &shown)) {
		to->failed = true;
		return;
	}
	json_write_open(to, key, '[');
	for (size_t at = 0; at < shown.length;) {
		size_t length = strnlen(shown.bytes + at, shown.length - at);

		json_write_bytes(to, NULL, shown.bytes + at, length);
		at += length + 1;
	}
	json_write_close(to, ']');
}

void json_put_free(struct json_writer *to, const char *key, struct event_path text,
		   const struct event_context *context)
{
	CLEAN(redacted_reset) struct redacted shown = { 0 };

	if (text.length == 0)
		return;
	if (redact_text(event_hidden(context), text.bytes, text.length, &shown))
		to->failed = true;
	else
		json_write_bytes(to, key, shown.bytes, shown.length);
}

/* --- Process, parent, chain ----------------------------------------------------------------------- */

/* `id` names one process for good although numbers recur. */
static void put_life(struct json_writer *to, __u32 pid, __u64 start_ns,
		     const struct event_context *context)
{
	char id[40];

	(void)snprintf(id, sizeof(id), "%u-%llu", pid, (unsigned long long)start_ns);
	json_put_time(to, "start", start_ns, context);
	json_write_plain(to, "id", id);
}

/* Of a program or a directory: no place for secrets, but where the settings say so. */
static void put_place(struct json_writer *to, const char *key, struct event_path path,
		      const struct event_context *context)
{
	if (event_hidden(context)->paths_count)
		json_put_path(to, key, NULL, path, context);
	else if (path.length)
		json_write_bytes(to, key, path.bytes, path.length);
}

static void put_program(struct json_writer *to, const struct process_view *view,
			const struct event_context *context)
{
	put_place(to, "exe", view->exe, context);
	json_put_words(to, "argv", view->words, context);
	put_place(to, "cwd", view->cwd, context);
	if (view->container.length)
		json_write_bytes(to, "container", view->container.bytes, view->container.length);
	if (view->incomplete)
		json_write_bool(to, "incomplete", true);
}

static void put_process(struct json_writer *to, const struct json_process *process,
			const struct event_context *context)
{
	json_write_open(to, "process", '{');
	json_write_number(to, "pid", process->pid);
	if (process->tid)
		json_write_number(to, "tid", process->tid);
	json_write_number(to, "uid", process->uid);
	json_write_number(to, "gid", process->gid);
	json_write_text(to, "comm", process->comm);
	put_life(to, process->pid, process->start_ns, context);
	if (context->process)
		put_program(to, context->process, context);
	json_write_close(to, '}');
}

static void put_parent(struct json_writer *to, const struct json_process *process,
		       const struct event_context *context)
{
	/* A packet is its socket's: nobody's parent is known. */
	if (!process->parent_pid)
		return;
	json_write_open(to, "parent", '{');
	json_write_number(to, "pid", process->parent_pid);
	if (process->parent_comm)
		json_write_text(to, "comm", process->parent_comm);
	put_life(to, process->parent_pid, process->parent_start_ns, context);
	json_write_close(to, '}');
}

static void put_ancestor(struct json_writer *to, const struct process_ancestor *one,
			 const struct event_context *context)
{
	json_write_open(to, NULL, '{');
	json_write_number(to, "pid", one->pid);
	put_life(to, one->pid, one->start_ns, context);
	json_write_text(to, "comm", one->comm);
	put_place(to, "exe", one->exe, context);
	if (one->incomplete)
		json_write_bool(to, "incomplete", true);
	json_write_close(to, '}');
}

static void put_chain(struct json_writer *to, const struct process_view *view,
		      const struct event_context *context)
{
	if (view->chain_count) {
		json_write_open(to, "chain", '[');
		for (size_t i = 0; i < view->chain_count; i++)
			put_ancestor(to, &view->chain[i], context);
		json_write_close(to, ']');
	}
	if (view->chain_cut)
		json_write_bool(to, "chain_cut", true);
}

/* --- Context -------------------------------------------------------------------------------------- */

/* The key is the name of a variable: of those that are told, but of any bytes. */
static void put_variable(struct json_writer *to, const struct process_variable *variable,
			 const struct event_context *context)
{
	CLEAN_FREE char *name = NULL;

	if (!escape_is_plain(variable->name.bytes, variable->name.length) ||
	    memchr(variable->name.bytes, '"', variable->name.length) ||
	    memchr(variable->name.bytes, '\\', variable->name.length))
		return;
	name = strndup(variable->name.bytes, variable->name.length);
	if (!name)
		to->failed = true;
	else if (variable->value.length)
		json_put_free(to, name, variable->value, context);
	else
		json_write_plain(to, name, "");
}

static void put_variables(struct json_writer *to, const char *key,
			  const struct process_variables *variables,
			  const struct event_context *context)
{
	if (!variables->count)
		return;
	json_write_open(to, key, '{');
	for (size_t i = 0; i < variables->count; i++)
		put_variable(to, &variables->list[i], context);
	json_write_close(to, '}');
}

static void put_tool(struct json_writer *to, const struct process_tool *tool,
		     const struct event_context *context)
{
	if (!tool->by)
		return;
	json_write_open(to, "tool", '{');
	json_put_free(to, "name", tool->name, context);
	json_put_free(to, "call_id", tool->call_id, context);
	json_put_free(to, "intent", tool->intent, context);
	if (tool->started_ns)
		json_put_time(to, "started", tool->started_ns, context);
	json_write_plain(to, "by", tool->by);
	json_write_bool(to, "claimed", tool->claimed);
	json_write_close(to, '}');
}

static void put_context(struct json_writer *to, const struct process_view *view,
			const struct event_context *context)
{
	const struct event_path *trace = &view->traceparent;

	if (!trace->length && !view->tags.count && !view->claimed.count && !view->tool.by)
		return;
	json_write_open(to, "context", '{');
	if (trace->length) {
		/* 00-TRACE ID-... */
		json_write_bytes(to, "trace_id", trace->bytes + 3, 32);
		json_write_bytes(to, "traceparent", trace->bytes, trace->length);
	}
	put_variables(to, "tags", &view->tags, context);
	put_variables(to, "claimed", &view->claimed, context);
	put_tool(to, &view->tool, context);
	json_write_close(to, '}');
}

void json_put_processes(struct json_writer *to, const struct json_process *process,
			const struct event_context *context)
{
	put_process(to, process, context);
	put_parent(to, process, context);
	if (!context->process)
		return;
	put_chain(to, context->process, context);
	put_context(to, context->process, context);
}
