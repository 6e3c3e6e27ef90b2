/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of one process: what it runs, where, and for what.
 */
#include <errno.h>
#include <string.h>

#include "process/context.h"
#include "process/table_parts.h"

void process_know_unref(struct process_table *table, struct shared **shared)
{
	__u32 owner = *shared ? (*shared)->owner : 0;
	size_t freed = shared_unref(shared);

	table->bytes -= freed;
	table->agents[owner].bytes -= freed;
}

int process_know_set(struct process_table *table, const struct process *process, struct shared **to,
		     struct event_path bytes)
{
	struct shared *made = NULL;

	if (shared_is(*to, bytes.bytes, bytes.length))
		return 0;
	if (bytes.length) {
		made = shared_new(bytes.bytes, bytes.length, process->agent);
		if (!made)
			return -ENOMEM;
		process_room_charge(table, process->agent, shared_size(made));
	}
	process_know_unref(table, to);
	*to = made;
	return 0;
}

void process_know_container(struct process_table *table, struct process *process)
{
	char container[CONTAINER_SIZE];

	repair_container((pid_t)process->tgid, process->start_ns, container);
	(void)process_know_set(table, process, &process->container,
			       (struct event_path){ container, strlen(container) });
}

static void share_program(struct process_program *to, const struct process_program *from)
{
	to->exe = shared_ref(from->exe);
	to->words = shared_ref(from->words);
	to->cwd = shared_ref(from->cwd);
	to->variables = shared_ref(from->variables);
}

static void unref_program(struct process_table *table, struct process_program *program)
{
	process_know_unref(table, &program->exe);
	process_know_unref(table, &program->words);
	process_know_unref(table, &program->cwd);
	process_know_unref(table, &program->variables);
}

void process_know_inherit(struct process_table *table, struct process *child,
			  const struct process *parent)
{
	struct tool_call *call = call_stack_current(&parent->calls);

	share_program(&child->program, &parent->program);
	child->trace = shared_ref(parent->trace);
	if (child->cgroup == parent->cgroup || !parent->cgroup)
		child->container = shared_ref(parent->container);
	else
		process_know_container(table, child);
	child->inherited = call_ref(call ? call : parent->inherited);
	child->program_ns = parent->program_ns;
	process_table_called(table, child);
}

void process_know_call(struct process_table *table, struct process *child)
{
	const struct process *parent = child->parent;
	__u64 born = child->start_ns + (child->rough ? REPAIR_TICK_NS : 0);
	struct tool_call *call;

	if (!parent || child->inherited)
		return;
	call = parent->inherited;
	for (size_t i = 0; i < parent->calls.count; i++) {
		if (parent->calls.calls[i]->started_ns <= born)
			call = parent->calls.calls[i];
	}
	child->inherited = call_ref(call);
	process_table_called(table, child);
}

int process_know_program(struct process_table *table, struct process *process,
			 const struct life *life)
{
	int r;

	unref_program(table, &process->before);
	share_program(&process->before, &process->program);
	r = process_know_set(table, process, &process->program.exe, life->text);
	if (r == 0)
		r = process_know_set(table, process, &process->program.words, life->text2);
	process->program_ns = life->head.time_ns;
	process->pending = true;
	process->suspect = false;
	process->incomplete = life->head.flags != 0 || r;
	return r;
}

/* A valid traceparent replaces the one that there was; none, or another, leaves it. */
static int take_trace(struct process_table *table, struct process *process,
		      struct event_path variables)
{
	struct context_variable trace;

	if (!context_find(variables.bytes, variables.length, "TRACEPARENT", &trace) ||
	    !context_trace_valid(trace.value, trace.value_length))
		return 0;
	return process_know_set(table, process, &process->trace,
				(struct event_path){ trace.value, CONTEXT_TRACE_LENGTH });
}

static int take_variables(struct process_table *table, struct process *process,
			  struct event_path variables)
{
	int r = take_trace(table, process, variables);

	return r ? r : process_know_set(table, process, &process->program.variables, variables);
}

/* The first program of the agent: what it was given is its launcher's word. */
static void decide_trust(struct process_table *table, const struct process *process,
			 struct event_path variables)
{
	struct process_agent *agent = &table->agents[process->agent];

	if (agent->trusts || !agent->root || agent->root != process->tgid)
		return;
	(void)process_table_trust(table, process->agent, variables.bytes, variables.length);
}

int process_know_context(struct process_table *table, struct process *process,
			 const struct life *life)
{
	int r = process_know_set(table, process, &process->program.cwd, life->text);

	if (r == 0)
		r = take_variables(table, process, life->text2);
	process->pending = false;
	if (life->head.flags || r)
		process->incomplete = true;
	decide_trust(table, process, life->text2);
	return r;
}

static struct event_path path_of(const struct repaired_text *text)
{
	return (struct event_path){ text->bytes, text->length };
}

int process_know_repaired(struct process_table *table, struct process *process,
			  const struct repaired *repaired, bool compare)
{
	struct event_path words = path_of(&repaired->words);
	struct event_path container = { repaired->container, strlen(repaired->container) };
	int r;

	if (compare && shared_is(process->program.words, words.bytes, words.length))
		return 0;
	process->incomplete = true;
	r = process_know_set(table, process, &process->program.exe, path_of(&repaired->exe));
	if (r == 0)
		r = process_know_set(table, process, &process->program.words, words);
	if (r == 0)
		r = process_know_set(table, process, &process->program.cwd,
				     path_of(&repaired->cwd));
	if (r == 0)
		r = take_variables(table, process, path_of(&repaired->variables));
	if (r == 0)
		r = process_know_set(table, process, &process->container, container);
	return r;
}

void process_know_nothing(struct process_table *table, struct process *process)
{
	unref_program(table, &process->program);
	unref_program(table, &process->before);
	process_know_unref(table, &process->trace);
	process_know_unref(table, &process->container);
	call_unref(&process->inherited);
	call_stack_reset(&process->calls);
	process_table_called(table, process);
}
