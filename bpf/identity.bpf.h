/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who asks: the agent of the running task. The answer is looked up once by the task's cgroup and
 * kept in task storage; an agent's label stays whatever cgroup the task is moved to, "nobody" is
 * looked up again when the cgroups map changes or the task is migrated.
 */
#ifndef PICKET_IDENTITY_BPF_H
#define PICKET_IDENTITY_BPF_H

#include "config.bpf.h"
#include "maps.bpf.h"

/** Add one to an agent's counter. */
static __always_inline void pk_count(__u32 agent, __u32 which)
{
	struct pk_agent *a = bpf_map_lookup_elem(&pk_agents, &agent);

	if (a && which < PK_COUNT__MAX)
		__sync_fetch_and_add(&a->counts[which], 1);
}

/** The agent whose cgroup is the innermost one around the running task, or 0. */
static __always_inline __u32 pk_who_cgroup(void)
{
	__u64 own = bpf_get_current_cgroup_id();
	__u32 *slot = bpf_map_lookup_elem(&pk_cgroups, &own);
	__u32 agent = 0;

	if (slot)
		return *slot;
	for (int level = 1; level < PK_CGROUP_DEPTH; level++) {
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);

		if (!id)
			break;
		slot = bpf_map_lookup_elem(&pk_cgroups, &id);
		if (slot)
			agent = *slot;
	}
	return agent;
}

struct pk_around {
	__u64 ancestors; /* of a cgroup, as an address */
	__u32 depth;
	__u32 agent; /* the innermost so far */
};

static long pk_around_level(__u32 level, void *arg)
{
	struct pk_around *w = arg;
	struct cgroup *ancestor = 0;
	__u32 *slot;
	__u64 id;

	/* The root is nobody's. */
	if (!level)
		return 0;
	if (level > w->depth ||
	    bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
				  (void *)(w->ancestors + (__u64)level * sizeof(ancestor))))
		return 1;
	id = BPF_CORE_READ(ancestor, kn, id);
	slot = bpf_map_lookup_elem(&pk_cgroups, &id);
	if (slot)
		w->agent = *slot;
	return 0;
}

/** The agent whose cgroup is the innermost one at or around the one at an address, or 0. */
static __always_inline __u32 pk_agent_around(const struct cgroup *cgroup)
{
	struct pk_around w = {
		.ancestors = (__u64)cgroup + bpf_core_field_offset(struct cgroup, ancestors),
		.depth = (__u32)BPF_CORE_READ(cgroup, level),
	};

	bpf_loop(PK_CGROUP_DEPTH, pk_around_level, &w, 0);
	return w.agent;
}

/** Whose the task with the label is, also while its program waits to be approved; 0 = nobody's. */
static __always_inline __u32 pk_label_agent(const struct pk_label *label)
{
	if (!label)
		return 0;
	return label->agent ? label->agent : label->pending.agent;
}

/**
 * Look the running task up and remember it. Kept out of line: the slow half of pk_who(). A program that
 * waits to be approved is stopped again, and is nobody's that there is: PK_AGENTS_MAX, for whom all is
 * denied.
 */
int pk_label_task(void);

/** Does the running program wait to be approved? */
static __always_inline bool pk_ask_is_waiting(void)
{
	struct pk_label *label = bpf_task_storage_get(&pk_labels, bpf_get_current_task_btf(), 0, 0);

	return label && !label->agent && label->pending.agent;
}

/** ask.bpf.c: the running program waits to be approved: was it? Its agent, or PK_AGENTS_MAX. */
int pk_ask_waiting(void);

/* The agent of the running task by its label. */
static __always_inline __u32 pk_who_by(const struct pk_label *label)
{
	if (label && label->agent)
		return label->agent;
	if (label && label->generation == pk_generation + 1)
		return 0;
	return pk_label_task();
}

/** The agent of the running task, 0 = nobody. */
static __always_inline __u32 pk_who(void)
{
	return pk_who_by(bpf_task_storage_get(&pk_labels, bpf_get_current_task_btf(), 0, 0));
}

/**
 * The agent of the running task, 0 = nobody, and the bits of the program it runs. For hooks that run
 * where task storage works and that do not sleep. A thread has no bits that its process lost.
 */
static __always_inline __u32 pk_who_as(__u32 *ret_subjects)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pk_label *label = bpf_task_storage_get(&pk_labels, task, 0, 0);
	struct pk_label *leader;

	*ret_subjects = 0;
	if (label && label->subjects) {
		leader = bpf_task_storage_get(&pk_labels, task->group_leader, 0, 0);
		if (leader)
			*ret_subjects = label->subjects & leader->subjects;
	}
	return pk_who_by(label);
}

/** Take the bits from the running process. 0, or an error when that could not be noted. */
static __always_inline int pk_who_drop(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pk_label *label = bpf_task_storage_get(&pk_labels, task, 0, 0);
	struct pk_label *leader = bpf_task_storage_get(&pk_labels, task->group_leader, 0, 0);

	if (!label || !leader)
		return -EACCES;
	label->subjects = 0;
	leader->subjects = 0;
	return 0;
}

/** The agent of another task, 0 = nobody or not known: only tasks that ran into a hook have a label. */
static __always_inline __u32 pk_who_else(struct task_struct *task)
{
	return pk_label_agent(bpf_task_storage_get(&pk_labels, task, 0, 0));
}

#endif
