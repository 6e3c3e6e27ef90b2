/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has to go. An agent that makes many processes takes room from itself first: the half of all is the
 * most it gets, and when all of it is used, the agent that has most gives.
 */
#include <stdint.h>

#include "process/table_parts.h"

static bool is_idle(const struct process *process)
{
	/* The end of a process that is no agent's is not told. */
	return !process->children && (process->ended_ns || process->agent == 0);
}

void process_room_enlist(struct process_table *table, struct process *process)
{
	struct process_agent *agent = &table->agents[process->agent];
	struct process_list *list = is_idle(process) ? &agent->ended : &agent->used;

	process->idle_ns = table->now_ns;
	process->list = list;
	process->newer = NULL;
	process->older = list->newest;
	*(list->newest ? &list->newest->newer : &list->oldest) = process;
	list->newest = process;
}

void process_room_unlist(struct process *process)
{
	struct process_list *list = process->list;

	if (!list)
		return;
	*(process->older ? &process->older->newer : &list->oldest) = process->newer;
	*(process->newer ? &process->newer->older : &list->newest) = process->older;
	process->list = NULL;
	process->older = process->newer = NULL;
}

void process_room_charge(struct process_table *table, __u32 owner, size_t bytes)
{
	table->bytes += bytes;
	table->agents[owner].bytes += bytes;
}

/* Up to @most, so that nobody waits for a sweep. */
static void forget_old(struct process_table *table, struct process_agent *agent,
		       const struct process *keep, size_t most)
{
	struct process *oldest;

	while (most-- && (oldest = agent->ended.oldest) && oldest != keep &&
	       oldest->idle_ns + PROCESS_KEPT_NS < table->now_ns)
		process_table_drop(table, oldest);
}

void process_table_age(struct process_table *table, __u64 now_ns)
{
	if (now_ns > table->now_ns)
		table->now_ns = now_ns;
	for (size_t i = 0; i < PK_AGENTS_MAX; i++)
		forget_old(table, &table->agents[i], NULL, SIZE_MAX);
}

static struct process *first_but(const struct process_list *list, const struct process *keep)
{
	return list->oldest == keep && keep ? keep->newer : list->oldest;
}

static bool evict(struct process_table *table, struct process_agent *agent,
		  const struct process *keep)
{
	struct process *victim = first_but(&agent->ended, keep);

	if (!victim)
		victim = first_but(&agent->used, keep);
	if (!victim)
		return false;
	process_table_drop(table, victim);
	table->evicted++;
	return true;
}

static struct process_agent *biggest(struct process_table *table)
{
	struct process_agent *most = &table->agents[0];

	for (size_t i = 1; i < PK_AGENTS_MAX; i++) {
		if (table->agents[i].bytes > most->bytes)
			most = &table->agents[i];
	}
	return most;
}

void process_room_make(struct process_table *table, __u32 agent, const struct process *keep)
{
	const struct process_limits *limits = &table->limits;
	struct process_agent *own = &table->agents[agent];
	bool room = true;

	forget_old(table, own, keep, 4);
	while (room && (own->processes >= limits->processes / 2 || own->bytes >= limits->bytes / 2))
		room = evict(table, own, keep);
	room = true;
	while (room && (table->processes >= limits->processes || table->bytes >= limits->bytes))
		room = evict(table, biggest(table), keep);
}
