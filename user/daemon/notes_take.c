/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing here is trusted: a note only ever changes what is said beside events of its own agent.
 */
#include "daemon/notes_take.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "daemon/daemon.h"
#include "daemon/proc.h"
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

static json_t *said(const char *text)
{
	return *text ? json_string(text) : NULL;
}

static json_t *tool_json(const struct note *note)
{
	return json_pack("{s:o*, s:o*, s:o*, s:o*, s:s}", "name", said(note->tool), "call_id",
			 said(note->call_id), "intent", said(note->intent), "status",
			 note->has_status ? json_integer(note->status) : NULL, "by",
			 call_source_name(CALL_NOTE));
}

int notes_take(struct daemon *daemon, struct agent_entry *entry, const struct note *note, pid_t pid)
{
	json_t *record;

	daemon_take_records(daemon);
	if (notes_agent_of(daemon, pid) != entry)
		return -EACCES;
	record = record_new("note", note_op_name(note->op), entry->record.id);
	(void)json_object_set_new(record, "tool", tool_json(note));
	(void)json_object_set_new(record, "claimed", json_true());
	(void)owner_of(daemon, entry, pid);
	(void)now_ns();
	events_tell(&daemon->events, entry, record);
	return 0;
}
