/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is there. A process is found by its number, and among those that had that number by its start.
 */
#include "process/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "process/table_parts.h"

/* Of the bytes of a process, an estimate of what the allocator takes too. */
#define OWN_BYTES (sizeof(struct process) + 16)

/* How an ancestor is known: from a record, or from /proc. */
struct ancestor {
	__u32 tgid;
	__u64 start_ns;
	bool rough;
	const char *comm; /* NULL: not told */
	unsigned int more; /* of its own ancestors may be looked for */
};

int process_table_new(const struct process_limits *limits, struct process_table **ret_table)
{
	struct process_table *table = calloc(1, sizeof(*table));
	size_t count = 16;

	if (!table)
		return -ENOMEM;
	while (count < limits->processes)
		count *= 2;
	table->limits = *limits;
	table->bucket_count = count;
	table->buckets = calloc(count, sizeof(struct process *));
	if (!table->buckets) {
		free(table);
		return -ENOMEM;
	}
	*ret_table = table;
	return 0;
}

void process_table_free(struct process_table **table)
{
	struct process_table *one = *table;

	*table = NULL;
	if (!one)
		return;
	for (__u32 i = 0; i < PK_AGENTS_MAX; i++)
		process_table_forget(one, i);
	free(one->buckets);
	free(one);
}

struct process_counts process_table_counts(const struct process_table *table)
{
	return (struct process_counts){ .processes = table->processes,
					.bytes = table->bytes,
					.evicted = table->evicted };
}

/* --- Finding -------------------------------------------------------------------------------------- */

/* Numbers are given out one after the other: they fill the buckets evenly as they are. */
static struct process **bucket_of(const struct process_table *table, __u32 tgid)
{
	return &table->buckets[tgid & (table->bucket_count - 1)];
}

static bool is_it(const struct process *process, __u64 start_ns, bool rough)
{
	if (!rough && !process->rough)
		return process->start_ns == start_ns;
	return repair_is_start((rough ? start_ns : process->start_ns) / REPAIR_TICK_NS,
			       rough ? process->start_ns : start_ns);
}

static struct process *find(const struct process_table *table, __u32 tgid, __u64 start_ns,
			    bool rough)
{
	struct process *process = *bucket_of(table, tgid);

	while (process && (process->tgid != tgid || !is_it(process, start_ns, rough)))
		process = process->next_same;
	if (process && process->rough && !rough) {
		process->start_ns = start_ns;
		process->rough = false;
	}
	return process;
}

struct process *process_table_find(struct process_table *table, __u32 tgid, __u64 start_ns)
{
	return find(table, tgid, start_ns, false);
}

/* --- Coming and going ----------------------------------------------------------------------------- */

static void link_parent(struct process *child, struct process *parent)
{
	child->parent = parent;
	child->next_child = parent->children;
	child->child_link = &parent->children;
	if (parent->children)
		parent->children->child_link = &child->next_child;
	parent->children = child;
}

static void unlink_parent(struct process *child)
{
	if (!child->parent)
		return;
	*child->child_link = child->next_child;
	if (child->next_child)
		child->next_child->child_link = child->child_link;
	child->parent = NULL;
	child->next_child = NULL;
	child->child_link = NULL;
}

static void enlist_again(struct process_table *table, struct process *process)
{
	process_room_unlist(process);
	process_room_enlist(table, process);
}

/* A process of @facts below @parent, of which nothing is known; there is room for it. */
static struct process *insert(struct process_table *table, const struct process_facts *facts,
			      struct process *parent)
{
	struct process **bucket = bucket_of(table, facts->tgid);
	struct process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->tgid = facts->tgid;
	process->start_ns = facts->start_ns;
	process->agent = facts->agent;
	process->cgroup = facts->cgroup;
	process->uid = facts->uid;
	process->gid = facts->gid;
	process->cut = !parent && facts->tgid > 2;
	if (facts->comm)
		memcpy(process->comm, facts->comm, strnlen(facts->comm, 16));
	process->next_same = *bucket;
	*bucket = process;
	if (parent) {
		link_parent(process, parent);
		enlist_again(table, parent);
	}
	table->processes++;
	table->agents[process->agent].processes++;
	process_room_charge(table, process->agent, OWN_BYTES);
	process_room_enlist(table, process);
	return process;
}

void process_table_drop(struct process_table *table, struct process *process)
{
	struct process **at = bucket_of(table, process->tgid);
	struct process *parent = process->parent;

	while (*at != process)
		at = &(*at)->next_same;
	*at = process->next_same;
	while (process->children) {
		process->children->cut = true;
		unlink_parent(process->children);
	}
	process_room_unlist(process);
	unlink_parent(process);
	if (parent && !parent->children)
		enlist_again(table, parent);
	process_know_nothing(table, process);
	table->processes--;
	table->agents[process->agent].processes--;
	table->bytes -= OWN_BYTES;
	table->agents[process->agent].bytes -= OWN_BYTES;
	free(process);
}

static void forget_list(struct process_table *table, const struct process_list *list)
{
	while (list->oldest)
		process_table_drop(table, list->oldest);
}

void process_table_forget(struct process_table *table, __u32 agent)
{
	struct process_agent *one = &table->agents[agent];

	/* Who loses his last child goes to the other list. */
	while (one->ended.oldest || one->used.oldest) {
		forget_list(table, &one->ended);
		forget_list(table, &one->used);
	}
	process_know_unref(table, &one->tags);
	call_stack_reset(&one->calls);
	one->trusts = false;
	one->root = 0;
}

/* --- Ancestors ------------------------------------------------------------------------------------ */

static struct process *find_ancestor(struct process_table *table, const struct ancestor *ancestor);

static struct process *repaired_parent(struct process_table *table, const struct repaired *repaired,
				       unsigned int more)
{
	struct ancestor parent = { .tgid = (__u32)repaired->parent, .rough = true, .more = more };
	__u64 ticks = 0;

	if (repaired->parent <= 0 || repair_ticks(repaired->parent, &ticks))
		return NULL;
	parent.start_ns = ticks * REPAIR_TICK_NS;
	return find_ancestor(table, &parent);
}

/* A process that no record told of is made, from /proc if it is there. */
static struct process *find_ancestor(struct process_table *table, const struct ancestor *ancestor)
{
	CLEAN(repaired_reset) struct repaired repaired = { 0 };
	struct process *process = find(table, ancestor->tgid, ancestor->start_ns, ancestor->rough);
	struct process_facts facts = { .tgid = ancestor->tgid, .start_ns = ancestor->start_ns };
	struct process *parent = NULL;
	bool found;

	if (process || !ancestor->more)
		return process;
	found = repair_read((pid_t)ancestor->tgid, &repaired) == 0 &&
		repair_is_start(repaired.ticks, ancestor->start_ns);
	if (found)
		parent = repaired_parent(table, &repaired, ancestor->more - 1);
	facts.comm = ancestor->comm ? ancestor->comm : repaired.comm;
	facts.uid = repaired.uid;
	facts.gid = repaired.gid;
	process_room_make(table, 0, parent);
	process = insert(table, &facts, parent);
	if (!process)
		return NULL;
	process->rough = ancestor->rough;
	if (found)
		(void)process_know_repaired(table, process, &repaired, false);
	process_know_call(table, process);
	/* The lives of processes that are no agent's are not told: nothing of them was lost. */
	process->incomplete = !found;
	return process;
}

static struct process *parent_of(struct process_table *table, const struct process_facts *facts)
{
	const struct ancestor parent = {
		.tgid = facts->parent_tgid,
		.start_ns = facts->parent_start_ns,
		.comm = facts->parent_comm,
		.more = PROCESS_CHAIN_MAX,
	};

	return facts->parent_tgid && facts->parent_start_ns ? find_ancestor(table, &parent) : NULL;
}

/* --- Records -------------------------------------------------------------------------------------- */

/* Its agent is told by a record of its own: an ancestor may turn out to be one's, or become it. */
static void move(struct process_table *table, struct process *process, __u32 agent)
{
	size_t bytes = OWN_BYTES + process->call_bytes;

	if (process->agent == agent)
		return;
	process_room_unlist(process);
	table->agents[process->agent].processes--;
	table->agents[process->agent].bytes -= bytes;
	process->agent = agent;
	table->agents[agent].processes++;
	table->agents[agent].bytes += bytes;
	process_room_enlist(table, process);
}

static void repair(struct process_table *table, struct process *process)
{
	CLEAN(repaired_reset) struct repaired repaired = { 0 };
	bool known = process->suspect;

	process->suspect = false;
	if (repair_read((pid_t)process->tgid, &repaired) ||
	    !repair_is_start(repaired.ticks, process->start_ns))
		process->incomplete = true;
	else
		(void)process_know_repaired(table, process, &repaired, known);
}

/* A record of a known process. */
static void refresh(struct process_table *table, struct process *process,
		    const struct process_facts *facts)
{
	move(table, process, facts->agent);
	process->uid = facts->uid;
	process->gid = facts->gid;
	process->cgroup = facts->cgroup ? facts->cgroup : process->cgroup;
	if (facts->comm) {
		memset(process->comm, 0, sizeof(process->comm));
		memcpy(process->comm, facts->comm, strnlen(facts->comm, 16));
	}
	enlist_again(table, process);
}

/* Found or made; *@ret_made: nothing is known of it yet. */
static struct process *look_up(struct process_table *table, const struct process_facts *facts,
			       bool *ret_made)
{
	struct process *process = find(table, facts->tgid, facts->start_ns, false);
	struct process *parent;

	*ret_made = false;
	if (facts->time_ns > table->now_ns)
		table->now_ns = facts->time_ns;
	if (process) {
		refresh(table, process, facts);
		return process;
	}
	if (!facts->start_ns || facts->agent >= PK_AGENTS_MAX)
		return NULL;
	parent = parent_of(table, facts);
	process_room_make(table, facts->agent, parent);
	*ret_made = true;
	return insert(table, facts, parent);
}

struct process *process_table_see(struct process_table *table, const struct process_facts *facts)
{
	bool made;
	struct process *process = look_up(table, facts, &made);

	if (process && (made || process->suspect)) {
		repair(table, process);
		process_know_call(table, process);
		process_room_make(table, process->agent, process);
	}
	return process;
}

struct process_facts process_facts_of(const struct event *event)
{
	const struct pk_event *head = &event->head;

	return (struct process_facts){
		.tgid = head->tgid,
		.parent_tgid = head->parent_tgid,
		.start_ns = head->start_ns,
		.parent_start_ns = head->parent_start_ns,
		.time_ns = head->time_ns,
		.cgroup = head->cgroup,
		.agent = head->agent,
		.uid = head->uid,
		.gid = head->gid,
		.comm = event->comm,
		.parent_comm = event->parent_comm,
	};
}

struct process *process_table_now(struct process_table *table, __u32 tgid, __u32 agent)
{
	struct ancestor ancestor = { .tgid = tgid, .rough = true, .more = PROCESS_CHAIN_MAX };
	struct process *process;
	bool known;
	__u64 ticks = 0;

	if (repair_ticks((pid_t)tgid, &ticks) || agent >= PK_AGENTS_MAX)
		return NULL;
	ancestor.start_ns = ticks * REPAIR_TICK_NS;
	known = find(table, tgid, ancestor.start_ns, true) != NULL;
	process = find_ancestor(table, &ancestor);
	if (!process)
		return NULL;
	if (!known && agent)
		process->incomplete = true;
	move(table, process, agent);
	if (process->suspect)
		repair(table, process);
	return process;
}

static struct process_facts facts_of_life(const struct life *life)
{
	const struct pk_life *head = &life->head;

	return (struct process_facts){
		.tgid = head->tgid,
		.parent_tgid = head->parent_tgid,
		.start_ns = head->start_ns,
		.parent_start_ns = head->parent_start_ns,
		.time_ns = head->time_ns,
		.cgroup = head->cgroup,
		.agent = head->agent,
		.uid = head->uid,
		.gid = head->gid,
		.comm = life->comm,
	};
}

static void take_fork(struct process_table *table, struct process *child, bool made)
{
	struct process *parent = child->parent;

	if (!made)
		return;
	if (!parent) {
		child->incomplete = true;
		return;
	}
	/* Only an agent's process makes one of it: if there was no record, that was lost. */
	if (parent->agent == 0) {
		move(table, parent, child->agent);
		parent->incomplete = true;
	}
	child->incomplete = parent->incomplete;
	child->suspect = parent->suspect;
	process_know_inherit(table, child, parent);
}

static void take_exit(struct process_table *table, struct process *process, const struct life *life)
{
	process->ended_ns = life->head.time_ns ? life->head.time_ns : 1;
	enlist_again(table, process);
}

int process_table_take(struct process_table *table, const struct life *life,
		       struct process **ret_process)
{
	const struct process_facts facts = facts_of_life(life);
	struct process *process;
	bool made;
	int r = 0;

	process = look_up(table, &facts, &made);
	if (!process)
		return -ENOMEM;
	switch (life->head.what) {
	case PK_LIFE_FORK:
		take_fork(table, process, made);
		break;
	case PK_LIFE_PROGRAM:
		if (made)
			process_know_container(table, process);
		r = process_know_program(table, process, life);
		break;
	case PK_LIFE_CONTEXT:
		if (made)
			repair(table, process);
		r = process_know_context(table, process, life);
		break;
	default:
		process->incomplete |= made;
		take_exit(table, process, life);
	}
	process_room_make(table, process->agent, process);
	*ret_process = process;
	return r;
}

/* --- Agents --------------------------------------------------------------------------------------- */

void process_table_root(struct process_table *table, __u32 agent, __u32 tgid)
{
	if (agent < PK_AGENTS_MAX)
		table->agents[agent].root = tgid;
}

int process_table_trust(struct process_table *table, __u32 agent, const char *variables,
			size_t size)
{
	const struct process whose = { .agent = agent };

	if (agent >= PK_AGENTS_MAX)
		return 0;
	table->agents[agent].trusts = true;
	return process_know_set(table, &whose, &table->agents[agent].tags,
				(struct event_path){ variables, size });
}

const struct shared *process_table_tags(const struct process_table *table, __u32 agent)
{
	return agent < PK_AGENTS_MAX ? table->agents[agent].tags : NULL;
}

int process_table_call(struct process_table *table, __u32 agent, struct tool_call *call)
{
	return agent < PK_AGENTS_MAX ? call_stack_push(&table->agents[agent].calls, call) : 0;
}

int process_table_call_end(struct process_table *table, __u32 agent, const char *call_id,
			   const char *name)
{
	if (agent >= PK_AGENTS_MAX)
		return -ENOENT;
	return call_stack_end(&table->agents[agent].calls, call_id, name, NULL);
}

static void suspect_list(const struct process_list *list)
{
	for (struct process *one = list->oldest; one; one = one->newer)
		one->suspect = !one->ended_ns;
}

void process_table_suspect(struct process_table *table, __u32 agent)
{
	if (agent >= PK_AGENTS_MAX)
		return;
	suspect_list(&table->agents[agent].used);
	suspect_list(&table->agents[agent].ended);
}

void process_table_called(struct process_table *table, struct process *process)
{
	size_t bytes = process->inherited ? call_bytes(process->inherited) : 0;

	for (size_t i = 0; i < process->calls.count; i++)
		bytes += call_bytes(process->calls.calls[i]);
	table->bytes += bytes - process->call_bytes;
	table->agents[process->agent].bytes += bytes - process->call_bytes;
	process->call_bytes = bytes;
}
