/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an agent may do to processes that are not its own. Inside its own tree everything is allowed,
 * but nobody may look into a program that has rules of its own (`by`) without having them too.
 *
 *   ptrace_access_check  trace, and all that asks as a tracer does: /proc/PID/{mem,environ,fd,exe,
 *                        maps,...}, process_vm_*, pidfd_getfd, kcmp
 *   ptrace_traceme       be traced by the parent
 *   task_kill            signals, 0 included, by whatever call
 *   task_setscheduler, _setnice, _setioprio, _setrlimit, _movememory
 *                        priority, affinity, limits, pages
 *   file_fcntl           F_SETOWN, F_SETOWN_EX: who gets SIGIO
 *   file_send_sigiotask  SIGIO to the supervisor, whoever arranged it
 *
 * EPERM. No label: allowed. A process without a label is not the agent's. The supervisor can neither
 * be traced nor signalled nor slowed down, whatever the policy says.
 */
#include "picket.bpf.h"

#include "guard.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* @subject is to be traced or looked into by the holder of the bits @tracer. */
static __always_inline bool pk_outranks(__u32 subject, __u32 tracer)
{
	return (subject & ~tracer) != 0;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(pk_ptrace, struct task_struct *child, unsigned int mode, int ret)
{
	struct pk_act act = { .guard = PK_GUARD_PTRACE, .op = PK_OP_PTRACE };
	struct pk_label *label;
	__u32 agent, subjects;

	if (ret)
		return ret;
	agent = pk_who_as(&subjects);
	if (!agent)
		return 0;
	if (mode & PTRACE_MODE_NOAUDIT)
		act.flags = PK_REQUEST_SILENT;
	label = bpf_task_storage_get(&pk_labels, child, 0, 0);
	if ((__u32)child->tgid == pk_supervisor) {
		act.reason = PK_REASON_SELF;
	} else if (label && pk_label_agent(label) == agent) {
		if (!pk_outranks(label->subjects, subjects))
			return 0;
		act.reason = PK_REASON_SUBJECT;
	}
	return pk_guard_ask(agent, &act, child);
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(pk_traceme, struct task_struct *parent, int ret)
{
	/* Interrupts are off: a signal would come late. */
	struct pk_act act = { .guard = PK_GUARD_PTRACE,
			      .op = PK_OP_PTRACE,
			      .flags = PK_REQUEST_HIDDEN };
	struct pk_label *label;
	__u32 agent, subjects;

	if (ret)
		return ret;
	agent = pk_who_as(&subjects);
	if (!agent)
		return 0;
	label = bpf_task_storage_get(&pk_labels, parent, 0, 0);
	if ((__u32)parent->tgid == pk_supervisor) {
		act.reason = PK_REASON_SELF;
	} else if (label && label->agent == agent) {
		if (!pk_outranks(subjects, label->subjects))
			return 0;
		act.reason = PK_REASON_SUBJECT;
	}
	return pk_guard_ask(agent, &act, parent);
}

/*
 * @cred is set when a device driver sends what a process ordered: the running task is any. It is NULL
 * for all other signals, which newer verifiers do not believe of a hook's argument and cut off what
 * follows such a test: it is read as a number.
 */
SEC("lsm/task_kill")
int BPF_PROG(pk_task_kill, struct task_struct *task, void *info, int sig, const struct cred *cred,
	     int ret)
{
	struct pk_act act = { .guard = PK_GUARD_SIGNALS, .op = PK_OP_SIGNAL, .detail = (__u32)sig };
	__u64 ordered = 0;

	if (ret)
		return ret;
	if (!bpf_probe_read_kernel(&ordered, sizeof(ordered), &ctx[3]) && ordered)
		return 0;
	return pk_guard_other(task, &act);
}

static __always_inline int pk_priority_hook(struct task_struct *task, int ret)
{
	struct pk_act act = { .guard = PK_GUARD_SIGNALS, .op = PK_OP_PRIORITY };

	return ret ? ret : pk_guard_other(task, &act);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(pk_setsched, struct task_struct *task, int ret)
{
	return pk_priority_hook(task, ret);
}

SEC("lsm/task_setnice")
int BPF_PROG(pk_setnice, struct task_struct *task, int nice, int ret)
{
	return pk_priority_hook(task, ret);
}

SEC("lsm/task_setioprio")
int BPF_PROG(pk_setioprio, struct task_struct *task, int ioprio, int ret)
{
	return pk_priority_hook(task, ret);
}

SEC("lsm/task_setrlimit")
int BPF_PROG(pk_setrlimit, struct task_struct *task, unsigned int resource, void *limit, int ret)
{
	return pk_priority_hook(task, ret);
}

SEC("lsm/task_movememory")
int BPF_PROG(pk_movememory, struct task_struct *task, int ret)
{
	return pk_priority_hook(task, ret);
}

/* The number of @pid in the pid namespace of depth @level; 0 = it has none there. */
static __always_inline int pk_pid_number(const struct pid *pid, __u32 level)
{
	__u64 numbers = (__u64)pid + bpf_core_field_offset(struct pid, numbers);
	__u64 upid = numbers + (__u64)level * bpf_core_type_size(struct upid);

	if (level > BPF_CORE_READ(pid, level))
		return 0;
	return BPF_CORE_READ((struct upid *)upid, nr);
}

/* Is @who, as F_SETOWN takes it, nobody, this thread, this process or its group? */
static __always_inline bool pk_is_own_number(int who)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct signal_struct *group = BPF_CORE_READ(task, signal);
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);

	return who == 0 || who == pk_pid_number(pid, level) ||
	       who == pk_pid_number(BPF_CORE_READ(group, pids[PIDTYPE_TGID]), level) ||
	       -who == pk_pid_number(BPF_CORE_READ(group, pids[PIDTYPE_PGID]), level);
}

SEC("lsm/file_fcntl")
int BPF_PROG(pk_file_fcntl, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	struct pk_act act = { .guard = PK_GUARD_SIGNALS, .op = PK_OP_SIGNAL };
	__u32 agent;

	if (ret || (cmd != F_SETOWN && cmd != F_SETOWN_EX))
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	/* F_SETOWN_EX points to memory that could change behind our back. */
	if (cmd == F_SETOWN && pk_is_own_number((int)arg))
		return 0;
	return pk_guard_ask(agent, &act, 0);
}

/* May run in an interrupt, on behalf of anybody. The supervisor never asks for SIGIO. */
SEC("lsm/file_send_sigiotask")
int BPF_PROG(pk_sigio, struct task_struct *task, void *owner, int sig, int ret)
{
	if (ret)
		return ret;
	if (pk_supervisor && (__u32)task->tgid == pk_supervisor)
		return -EPERM;
	return 0;
}
