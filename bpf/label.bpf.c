/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Labels of tasks that are there already: given when the cgroup that they are in becomes an agent's,
 * taken back when it is one no more, exchanged when they are put into an agent of their agent. Runs
 * when user space reads from it, once for every thread.
 *
 *   iter/task   decides nothing; writes the number of each thread whose label it changed
 */
#include "picket.bpf.h"

#include "identity.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/** The slot whose labels are taken back; 0: labels are given. */
const volatile __u32 pk_release = 0;
/** The slot that gets them, of tasks in its cgroup: they were put into an agent of their agent. 0: none. */
const volatile __u32 pk_heir = 0;

static __always_inline bool pk_take_back(struct task_struct *task)
{
	struct pk_label *label = bpf_task_storage_get(&pk_labels, task, 0, 0);

	if (pk_label_agent(label) != pk_release)
		return false;
	if (pk_heir && pk_agent_around(BPF_CORE_READ(task, cgroups, dfl_cgrp)) != pk_heir)
		return false;
	/*
	 * A program that waits to be approved is its agent's until it was, wherever it is moved meanwhile:
	 * a new label would let it run unasked.
	 */
	if (pk_heir && !label->agent)
		return false;
	label->pending.agent = 0;
	/* Bits of programs and states of commands mean something in one image only. */
	label->subjects = 0;
	label->script = 0;
	label->generation = pk_heir ? pk_generation + 1 : 0;
	label->agent = pk_heir;
	return true;
}

static __always_inline bool pk_give(struct task_struct *task)
{
	struct pk_label *label = bpf_task_storage_get(&pk_labels, task, 0, 0);
	__u32 agent;

	if (pk_label_agent(label))
		return false;
	agent = pk_agent_around(BPF_CORE_READ(task, cgroups, dfl_cgrp));
	if (!agent)
		return false;
	/* No memory: it is looked up when it runs into a hook, like any other. */
	label = bpf_task_storage_get(&pk_labels, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!label)
		return false;
	label->agent = agent;
	label->generation = pk_generation + 1;
	return true;
}

SEC("?iter/task")
int pk_relabel(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	__u32 tid;

	if (!task)
		return 0;
	if (pk_release ? !pk_take_back(task) : !pk_give(task))
		return 0;
	tid = (__u32)task->pid;
	(void)bpf_seq_write(seq, &tid, sizeof(tid));
	return 0;
}
