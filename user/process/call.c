/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * References, and a short array.
 */
#include "process/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const source_names[] = {
	[CALL_NOTE] = "note",
	[CALL_OTLP] = "otlp",
	[CALL_ENVIRONMENT] = "environment",
};

_Static_assert(sizeof(source_names) / sizeof(source_names[0]) == CALL__SOURCES, "all have a name");

const char *call_source_name(enum call_source by)
{
	return source_names[by];
}

static size_t room_of(const char *text)
{
	return text && *text ? strlen(text) + 1 : 0;
}

/* Copy @text to *@to, which moves on. NULL: it says nothing. */
static const char *put(char **to, const char *text)
{
	size_t room = room_of(text);
	char *at = *to;

	if (room == 0)
		return NULL;
	memcpy(at, text, room);
	*to = at + room;
	return at;
}

struct tool_call *call_new(const struct tool_call_facts *facts)
{
	size_t room = room_of(facts->name) + room_of(facts->call_id) + room_of(facts->intent);
	struct tool_call *call = malloc(sizeof(*call) + room);
	char *at;

	if (!call)
		return NULL;
	at = (char *)(call + 1);
	*call = (struct tool_call){
		.refs = 1,
		.by = facts->by,
		.claimed = facts->claimed,
		.started_ns = facts->started_ns,
		.until_ns = facts->until_ns,
	};
	call->name = put(&at, facts->name);
	call->call_id = put(&at, facts->call_id);
	call->intent = put(&at, facts->intent);
	if (!call->name)
		call->name = "";
	return call;
}

struct tool_call *call_ref(struct tool_call *call)
{
	if (call)
		call->refs++;
	return call;
}

void call_unref(struct tool_call **call)
{
	struct tool_call *gone = *call;

	*call = NULL;
	if (gone && --gone->refs == 0)
		free(gone);
}

size_t call_bytes(const struct tool_call *call)
{
	return sizeof(*call) + room_of(call->name) + room_of(call->call_id) + room_of(call->intent);
}

/* Take the call at @at out; its reference is the caller's. */
static struct tool_call *take_out(struct call_stack *stack, size_t at)
{
	struct tool_call *call = stack->calls[at];

	stack->count--;
	memmove(stack->calls + at, stack->calls + at + 1,
		(stack->count - at) * sizeof(stack->calls[0]));
	if (stack->count == 0)
		call_stack_reset(stack);
	return call;
}

int call_stack_push(struct call_stack *stack, struct tool_call *call)
{
	struct tool_call **grown;

	if (stack->count == CALLS_MAX) {
		struct tool_call *oldest = take_out(stack, 0);

		call_unref(&oldest);
	}
	grown = reallocarray(stack->calls, stack->count + 1, sizeof(struct tool_call *));
	if (!grown)
		return -ENOMEM;
	stack->calls = grown;
	grown[stack->count++] = call_ref(call);
	return 0;
}

static bool is_meant(const struct tool_call *call, const char *call_id, const char *name)
{
	if (call_id)
		return call->call_id && strcmp(call->call_id, call_id) == 0;
	return !name || strcmp(call->name, name) == 0;
}

int call_stack_end(struct call_stack *stack, const char *call_id, const char *name,
		   struct tool_call **ret_call)
{
	for (size_t i = stack->count; i > 0; i--) {
		struct tool_call *call;

		if (!is_meant(stack->calls[i - 1], call_id, name))
			continue;
		call = take_out(stack, i - 1);
		if (ret_call)
			*ret_call = call;
		else
			call_unref(&call);
		return 0;
	}
	return -ENOENT;
}

struct tool_call *call_stack_current(const struct call_stack *stack)
{
	return stack->count ? stack->calls[stack->count - 1] : NULL;
}

struct tool_call *call_stack_current_at(const struct call_stack *stack, __u64 now_ns)
{
	for (size_t i = stack->count; i > 0; i--) {
		struct tool_call *call = stack->calls[i - 1];

		if (!call->until_ns || now_ns < call->until_ns)
			return call;
	}
	return NULL;
}

void call_stack_reset(struct call_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		call_unref(&stack->calls[i]);
	free(stack->calls);
	*stack = (struct call_stack){ 0 };
}
