/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Labels of tasks: found at first sight, inherited at fork, kept at migration.
 *
 *   lsm/task_alloc              child gets the parent's label; no memory for it: fork fails ENOMEM.
 *                             EPERM for a child in another cgroup, and, by guard namespaces, in new
 *                             namespaces
 *   tp_btf/cgroup_attach_task   a task that is nobody is looked up again in its new cgroup
 */
#include "picket.bpf.h"

#include "guard.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 pk_cache_check = 0;
const volatile __u32 pk_cache_flaw = 0;
__u32 pk_supervisor = 0;
__u32 pk_generation = 0;

__noinline int pk_label_task(void)
{
	__u32 agent = pk_who_cgroup();
	struct pk_label *label = bpf_task_storage_get(&pk_labels, bpf_get_current_task_btf(), 0,
						      BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!label) {
		pk_count(agent, PK_COUNT_LABEL_FAILED);
		return agent;
	}
	/* Two lookups may race; an agent's label is never taken back. */
	if (label->agent)
		return label->agent;
	if (label->pending.agent)
		return pk_ask_waiting();
	label->agent = agent;
	label->generation = pk_generation + 1;
	return agent;
}

/* A child in another cgroup would leave the agent's limits; one in new namespaces its world. */
static __always_inline int pk_refuse_child(__u32 agent, __u64 flags)
{
	struct pk_act cgroup = { .guard = PK_GUARD_KERNEL,
				 .op = PK_OP_CLONE,
				 .reason = PK_REASON_SELF };
	struct pk_act namespace = { .guard = PK_GUARD_NAMESPACES, .op = PK_OP_NAMESPACE };

	if (flags & CLONE_INTO_CGROUP)
		return pk_guard_ask(agent, &cgroup, 0);
	/* Of those a new user namespace comes first, and was asked about by itself. */
	if (flags & CLONE_NEWUSER)
	namespace.flags = PK_REQUEST_HIDDEN;
	return flags & CLONE_NEW_MASK ? pk_guard_ask(agent, &namespace, 0) : 0;
}

SEC("lsm/task_alloc")
int BPF_PROG(pk_task_alloc, struct task_struct *child, unsigned long clone_flags, int ret)
{
	struct pk_label *label;
	__u32 agent, subjects = 0;
	int error;

	if (ret)
		return ret;
	agent = pk_who_as(&subjects);
	if (!agent)
		return 0;
	/* It waits, and is stopped: the child is made when it goes on. */
	if (agent == PK_AGENTS_MAX && pk_ask_is_waiting())
		return -ERESTARTNOINTR;
	error = pk_refuse_child(agent, clone_flags);
	if (error)
		return error;
	label = bpf_task_storage_get(&pk_labels, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!label)
		return -ENOMEM;
	label->agent = agent;
	label->generation = pk_generation + 1;
	label->subjects = subjects;
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(pk_migrate, struct cgroup *to, const char *path, struct task_struct *task,
	     bool threadgroup)
{
	struct pk_label *label = bpf_task_storage_get(&pk_labels, task, 0, 0);

	if (label && !label->agent)
		label->generation = 0;
	return 0;
}
