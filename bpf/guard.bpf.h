/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the hooks of the process section share: asking for a switch, and what another process is.
 */
#ifndef PICKET_GUARD_BPF_H
#define PICKET_GUARD_BPF_H

#include "compat.bpf.h"
#include "control.bpf.h"
#include "decide.bpf.h"

/** An act that a switch refuses, or that is refused to every agent. */
struct pk_act {
	__u32 guard; /* enum pk_guard */
	__u32 op; /* enum pk_op */
	__u32 reason; /* enum pk_reason: refused whatever the switches say; 0 = they decide */
	__u32 flags; /* PK_REQUEST_* */
	__u32 detail; /* see enum pk_op */
};

/** Ask for @act; @target is the task it is about, or NULL. Returns the hook's return value. */
static __always_inline int pk_guard_ask(__u32 agent, const struct pk_act *act,
					const struct task_struct *target)
{
	struct pk_scratch *s;
	int error;

	if (!act->reason && !pk_guarded(agent, act->guard))
		return 0;
	s = pk_scratch_take(agent);
	if (!s)
		return -EPERM;
	s->rq.section = PK_SECTION_PROCESS;
	s->rq.access = (__u8)act->guard;
	s->rq.op = (__u8)act->op;
	s->rq.reason = (__u8)act->reason;
	s->rq.flags = act->flags;
	s->rq.detail = act->detail;
	s->rq.error = EPERM;
	if (target) {
		s->rq.target = BPF_CORE_READ(target, tgid);
		if (bpf_probe_read_kernel(s->rq.target_comm, sizeof(s->rq.target_comm),
					  target->comm))
			s->rq.target_comm[0] = 0;
	}
	error = pk_decide_unkeyed(s);
	pk_scratch_give(s);
	return pk_errno(error);
}

/** The same for an act about no other process. */
static __always_inline int pk_guard_act(__u32 guard, __u32 op, __u32 detail)
{
	struct pk_act act = { .guard = guard, .op = op, .detail = detail };
	__u32 agent = pk_who();

	return agent ? pk_guard_ask(agent, &act, 0) : 0;
}

/** The agent whose cgroup is the innermost one around the task at an address, or 0. */
static __always_inline __u32 pk_cgroup_agent(const struct task_struct *task)
{
	return pk_agent_around(BPF_CORE_READ(task, cgroups, dfl_cgrp));
}

/** Refuse an act about a task that is not the agent's, or that is the supervisor. */
static __always_inline int pk_guard_other(struct task_struct *task, struct pk_act *act)
{
	__u32 agent = pk_who();

	if (!agent)
		return 0;
	if ((__u32)BPF_CORE_READ(task, tgid) == pk_supervisor)
		act->reason = PK_REASON_SELF;
	else if (pk_who_else(task) == agent)
		return 0;
	return pk_guard_ask(agent, act, task);
}

/** Families of system calls that have no hook of their own for what they do. */
enum pk_call {
	PK_CALL_OTHER,
	PK_CALL_NAMESPACE, /* setns, unshare, clone */
	PK_CALL_MOUNT, /* mount, move_mount, pivot_root, fsopen, fsconfig, fsmount, fspick,
			* open_tree, mount_setattr */
	PK_CALL_UMOUNT,
	PK_CALL_KEY, /* add_key, request_key, keyctl */
	PK_CALL_UNKNOWN, /* an architecture whose calls we cannot tell apart: any of them */
};

static __always_inline enum pk_call pk_call_64(__u64 number)
{
	switch (number) {
	case 56: /* clone */
	case 272: /* unshare */
	case 308: /* setns */
		return PK_CALL_NAMESPACE;
	case 155: /* pivot_root */
	case 165: /* mount */
		return PK_CALL_MOUNT;
	case 166: /* umount2 */
		return PK_CALL_UMOUNT;
	case 248: /* add_key */
	case 249: /* request_key */
	case 250: /* keyctl */
		return PK_CALL_KEY;
	}
	return PK_CALL_OTHER;
}

static __always_inline enum pk_call pk_call_32(__u64 number)
{
	switch (number) {
	case 120: /* clone */
	case 310: /* unshare */
	case 346: /* setns */
		return PK_CALL_NAMESPACE;
	case 21: /* mount */
	case 217: /* pivot_root */
		return PK_CALL_MOUNT;
	case 22: /* umount */
	case 52: /* umount2 */
		return PK_CALL_UMOUNT;
	case 286: /* add_key */
	case 287: /* request_key */
	case 288: /* keyctl */
		return PK_CALL_KEY;
	}
	return PK_CALL_OTHER;
}

/** The family of the system call that the running task is in. */
static __always_inline enum pk_call pk_current_call(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs___x86 *regs = (struct pt_regs___x86 *)bpf_task_pt_regs(task);
	__u64 number;

	if (!bpf_core_field_exists(regs->orig_ax))
		return PK_CALL_UNKNOWN;
	number = BPF_CORE_READ(regs, orig_ax) & ~X32_SYSCALL_BIT;
	switch (number) {
	/* Both tables number these alike. */
	case 435: /* clone3 */
		return PK_CALL_NAMESPACE;
	case 428: /* open_tree */
	case 429: /* move_mount */
	case 430: /* fsopen */
	case 431: /* fsconfig */
	case 432: /* fsmount */
	case 433: /* fspick */
	case 442: /* mount_setattr */
	case 467: /* open_tree_attr */
		return PK_CALL_MOUNT;
	}
	if (BPF_CORE_READ(task, thread_info.status) & TS_COMPAT)
		return pk_call_32(number);
	return pk_call_64(number);
}

/** mount.bpf.c: refuse mounting (@op) and what is like it. Returns 0 or a negative errno. */
int pk_refuse_mount(__u32 agent, __u32 op, __u32 flags);

/**
 * May pk_guard_file() have a say in @op for @access to the object at @dentry? For paths that are
 * decided without it; the hook has @dentry from the kernel.
 */
static __always_inline bool pk_guard_wanted(__u32 op, __u32 access, const struct dentry *dentry)
{
	const struct inode *inode = dentry->d_inode;
	__u32 type = inode ? inode->i_mode & S_IFMT : 0;
	unsigned long magic;

	if ((op == PK_OP_OPEN || op == PK_OP_RECEIVE) && (type == S_IFBLK || type == S_IFCHR))
		return true;
	if (!(access & PK_ACCESS_WRITE))
		return false;
	magic = dentry->d_sb->s_magic;
	return magic == PROC_SUPER_MAGIC || pk_is_control(magic);
}

/** world.bpf.c: pk_guard_file() for the object at s->dentry. */
int pk_guard_object(struct pk_scratch *s);

/**
 * Refuse a file for what it is and not for its path: the kernel's settings, its memory, disks, other
 * processes' settings. s->rq is a request of the files section for the object at @dentry, its path
 * walked when it has one; it is unchanged afterwards when the return value is 0. Returns 0 or a
 * negative errno. The address travels in the work area, as in pk_path_of().
 */
static __always_inline int pk_guard_file(struct pk_scratch *s, __u64 dentry)
{
	s->dentry = dentry;
	return pk_guard_object(s);
}

/**
 * Refuse an ioctl that types into a terminal or sends signals. For file_ioctl hooks, of any task.
 * Returns the hook's return value.
 */
static __always_inline int pk_ioctl_guard(__u32 agent, unsigned int cmd)
{
	struct pk_act act = { .op = PK_OP_TERMINAL, .guard = PK_GUARD_TERMINAL, .detail = cmd };

	if (!agent)
		return 0;
	if (cmd == FIOSETOWN || cmd == SIOCSPGRP) {
		act.guard = PK_GUARD_SIGNALS;
		act.op = PK_OP_SIGNAL;
		act.detail = 0;
	} else if (cmd != TIOCSTI && cmd != TIOCLINUX) {
		return 0;
	}
	return pk_guard_ask(agent, &act, 0);
}

#endif
