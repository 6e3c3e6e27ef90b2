/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is told of a process. The launcher's tags are the agent's, whatever its programs make of their
 * environment; what these say otherwise is told beside them.
 */
#include <string.h>

#include "process/context.h"
#include "process/table_parts.h"

static struct event_path path_of(const struct shared *shared)
{
	return shared ? (struct event_path){ shared->bytes, shared->length } :
			(struct event_path){ 0 };
}

static void view_chain(const struct process *process, struct process_view *view)
{
	const struct process *child = process;
	const struct process *one = process->parent;

	while (one && view->chain_count < PROCESS_CHAIN_MAX) {
		view->chain[view->chain_count++] = (struct process_ancestor){
			.pid = one->tgid,
			.start_ns = one->start_ns,
			.comm = one->comm,
			.exe = path_of(one->program.exe),
			.incomplete = one->incomplete,
		};
		child = one;
		one = one->parent;
	}
	view->chain_cut = one || child->cut;
}

static void add_variable(struct process_variables *to, const struct context_variable *variable)
{
	if (to->count == PROCESS_VARIABLES_MAX)
		return;
	to->list[to->count++] = (struct process_variable){
		.name = { variable->name, variable->name_length },
		.value = { variable->value, variable->value_length },
	};
}

static bool is_equal(const struct context_variable *a, const struct context_variable *b)
{
	return a->value_length == b->value_length &&
	       memcmp(a->value, b->value, a->value_length) == 0;
}

static void view_variables(struct event_path tags, struct event_path own, struct process_view *view)
{
	struct context_variable one;
	struct context_variable tag;
	size_t at = 0;

	while (context_next(tags.bytes, tags.length, &at, &one)) {
		if (context_is_tag(one.name, one.name_length))
			add_variable(&view->tags, &one);
	}
	at = 0;
	while (context_next(own.bytes, own.length, &at, &one)) {
		if (!context_is_tag(one.name, one.name_length))
			continue;
		if (!context_find_named(tags.bytes, tags.length, &one, &tag) ||
		    !is_equal(&one, &tag))
			add_variable(&view->claimed, &one);
	}
}

static struct event_path variable_of(struct event_path text, const char *name)
{
	struct context_variable one;

	if (!context_find(text.bytes, text.length, name, &one))
		return (struct event_path){ 0 };
	return (struct event_path){ one.value, one.value_length };
}

static bool same(struct event_path a, struct event_path b)
{
	return a.length == b.length && (!a.length || memcmp(a.bytes, b.bytes, a.length) == 0);
}

/* The tool call of the environment, where there is one. */
static void view_environment(struct event_path tags, struct event_path own,
			     struct process_tool *tool)
{
	struct event_path from = variable_of(own, "PICKET_TOOL").length ? own : tags;

	tool->name = variable_of(from, "PICKET_TOOL");
	if (!tool->name.length)
		return;
	tool->call_id = variable_of(from, "PICKET_CALL_ID");
	tool->intent = variable_of(from, "PICKET_INTENT");
	tool->by = call_source_name(CALL_ENVIRONMENT);
	tool->claimed = !same(tool->name, variable_of(tags, "PICKET_TOOL")) ||
			!same(tool->call_id, variable_of(tags, "PICKET_CALL_ID")) ||
			!same(tool->intent, variable_of(tags, "PICKET_INTENT"));
}

static struct event_path text_of(const char *text)
{
	return text ? (struct event_path){ text, strlen(text) } : (struct event_path){ 0 };
}

static void view_call(const struct tool_call *call, struct process_tool *tool)
{
	*tool = (struct process_tool){
		.name = text_of(call->name),
		.call_id = text_of(call->call_id),
		.intent = text_of(call->intent),
		.started_ns = call->started_ns,
		.by = call_source_name(call->by),
		.claimed = call->claimed,
	};
}

/* What is said of the process, or of its parents, is nearer to it than what is said of all of the agent. */
static void view_tool(const struct process_table *table, const struct process *process,
		      __u64 time_ns, struct process_view *view)
{
	const struct call_stack *all = &table->agents[process->agent].calls;
	const struct tool_call *call = call_stack_current(&process->calls);

	if (!call)
		call = process->inherited;
	if (!call && !view->tool.by && process->agent)
		call = call_stack_current_at(all, time_ns ? time_ns : table->now_ns);
	if (call)
		view_call(call, &view->tool);
}

/* The program that it ran at that time, as far back as is known; *@ret_sure: it is the right one. */
static const struct process_program *program_at(const struct process *process, __u64 time_ns,
						bool *ret_sure)
{
	bool now = !time_ns || time_ns >= process->program_ns;

	*ret_sure = now || process->before.exe;
	return now ? &process->program : &process->before;
}

void process_table_view(const struct process_table *table, const struct process *process,
			__u64 time_ns, struct process_view *view)
{
	bool sure;
	const struct process_program *program = program_at(process, time_ns, &sure);
	struct event_path tags = path_of(process_table_tags(table, process->agent));
	struct event_path own = path_of(program->variables);

	*view = (struct process_view){
		.exe = path_of(program->exe),
		.words = path_of(program->words),
		.cwd = path_of(program->cwd),
		.container = path_of(process->container),
		.traceparent = path_of(process->trace),
		.incomplete = process->incomplete || !sure,
	};
	view_chain(process, view);
	view_variables(tags, own, view);
	view_environment(tags, own, &view->tool);
	view_tool(table, process, time_ns, view);
}
