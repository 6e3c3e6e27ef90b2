/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing here is trusted: a note only ever changes what is said beside events of its own agent.
 */
#include "daemon/notes_take.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/proc.h"
#include "telemetry/moment.h"
#include "telemetry/record.h"

/* What proc_in_cgroup() is asked. */
struct search {
	const struct daemon *daemon;
	struct agent_entry *found;
};

static bool is_agents(void *context, __u64 cgroup)
{
	struct search *search = context;

	search->found = registry_find_cgroup(&search->daemon->registry, cgroup);
	return search->found != NULL;
}

struct agent_entry *notes_agent_of(struct daemon *daemon, pid_t pid)
{
	struct search search = { .daemon = daemon };

	if (pid > 0)
		(void)proc_in_cgroup(daemon->features.cgroup_root, pid, is_agents, &search);
	return search.found;
}

static __u64 now_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
}

/* Whose call it is: the parent, while it is of the agent, or else the sender. */
static pid_t owner_of(struct daemon *daemon, const struct agent_entry *entry, pid_t pid)
{
	struct proc_facts facts;

	if (proc_read(pid, &facts) || notes_agent_of(daemon, facts.parent) != entry)
		return pid;
	return facts.parent;
}

/* --- Calls ---------------------------------------------------------------------------------------- */

static int begin_call(struct daemon *daemon, struct process *process, const struct note *note)
{
	const struct tool_call_facts facts = {
		.name = note->tool,
		.call_id = note->call_id,
		.intent = note->intent,
		.started_ns = now_ns(),
		.by = CALL_NOTE,
		.claimed = true,
	};
	CLEAN(call_unref) struct tool_call *call = process ? call_new(&facts) : NULL;
	int r = call ? call_stack_push(&process->calls, call) : -ENOMEM;

	if (r == 0)
		process_table_called(daemon->lives.table, process);
	return r;
}

/*
 * End the call that @note means, of @process or of the nearest ancestor in the agent that has it. Returns it
 * (the caller's reference), or NULL: nobody said that it began.
 */
static struct tool_call *end_call(struct daemon *daemon, struct process *process,
				  const struct note *note)
{
	const char *call_id = note->call_id[0] ? note->call_id : NULL;
	const char *name = note->tool[0] ? note->tool : NULL;
	__u32 agent = process ? process->agent : 0;
	struct tool_call *call = NULL;

	for (; process && process->agent == agent; process = process->parent) {
		if (call_stack_end(&process->calls, call_id, name, &call) == 0) {
			process_table_called(daemon->lives.table, process);
			break;
		}
	}
	return call;
}

/* --- The record ----------------------------------------------------------------------------------- */

static json_t *said(const char *text)
{
	return text && *text ? json_string(text) : NULL;
}

static json_t *time_json(__u64 ns)
{
	char text[MOMENT_TEXT_SIZE];

	return json_string(moment_text((__s64)ns + event_clock_offset(), text));
}

/* Free text, as it may be shown. */
static json_t *shown(struct events *events, const char *text)
{
	CLEAN(redacted_reset) struct redacted told = { 0 };

	if (!text || !*text || redact_text(events_redact(events), text, strlen(text), &told))
		return NULL;
	return json_string(told.bytes);
}

/* Of a call that ended, what was said when it began. */
static json_t *tool_json(struct events *events, const struct note *note,
			 const struct tool_call *call)
{
	return json_pack("{s:o*, s:o*, s:o*, s:o*, s:o*, s:s}", "name",
			 shown(events, call ? call->name : note->tool), "call_id",
			 said(call ? call->call_id : note->call_id), "intent",
			 shown(events, call ? call->intent : note->intent), "status",
			 note->has_status ? json_integer(note->status) : NULL, "started",
			 call ? time_json(call->started_ns) : NULL, "by",
			 call_source_name(CALL_NOTE));
}

int notes_take(struct daemon *daemon, struct agent_entry *entry, const struct note *note, pid_t pid)
{
	CLEAN(call_unref) struct tool_call *call = NULL;
	__u32 slot = entry->record.slot;
	struct process *process;
	json_t *sender = NULL;
	json_t *record;

	daemon_take_records(daemon);
	if (notes_agent_of(daemon, pid) != entry)
		return -EACCES;
	process = lives_process(&daemon->lives, pid, slot);
	if (process)
		sender = lives_process_json(&daemon->lives, process, entry);
	process = lives_process(&daemon->lives, owner_of(daemon, entry, pid), slot);
	if (note->op == NOTE_END)
		call = end_call(daemon, process, note);
	else if (begin_call(daemon, process, note))
		daemon_say(daemon, "a tool call of agent '%s' will not be in events: out of memory",
			   entry->record.id);
	record = record_new("note", note_op_name(note->op), entry->record.id);
	(void)json_object_set_new(record, "tool", tool_json(&daemon->events, note, call));
	if (sender)
		(void)json_object_set_new(record, "process", sender);
	(void)json_object_set_new(record, "claimed", json_true());
	events_tell(&daemon->events, entry, record);
	return 0;
}
