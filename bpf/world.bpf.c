/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Files that are the kernel's or another process's controls: refused for what they are, whatever
 * their path and whether or not the policy has a files section. The file hooks ask here.
 *
 *   guard kernel    writing: sysctl and the other files of procfs that belong to no process, sysfs,
 *                   debugfs, tracefs, securityfs, configfs, efivarfs, pstore, resctrl, binfmt_misc,
 *                   fusectl, selinuxfs, smackfs; opening: raw memory, I/O ports, the kernel's log,
 *                   disks, processor registers
 *   guard signals   writing files of another process in procfs (oom_score_adj, autogroup, ...)
 *
 * Writing such a file of the supervisor is always refused. What cannot be read counts as foreign.
 */
#include "picket.bpf.h"

#include "control.bpf.h"
#include "guard.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What refuses the file: an enum pk_guard and, when it is refused to every agent, the reason. */
struct pk_refusal {
	bool found;
	__u8 guard;
	__u8 reason;
};

/*
 * Devices below every rule: memory (1:1, 1:2), I/O ports (1:4), the kernel's log (1:11), SCSI commands
 * (21), registers (202).
 */
static __always_inline bool pk_is_raw_device(const struct inode *inode, __u32 mode)
{
	__u32 device = BPF_CORE_READ(inode, i_rdev);
	__u32 major = device >> 20, minor = device & 0xfffff;

	if ((mode & S_IFMT) == S_IFBLK)
		return true;
	if ((mode & S_IFMT) != S_IFCHR)
		return false;
	if (major == 1)
		return minor == 1 || minor == 2 || minor == 4 || minor == 11;
	return major == 21 || major == 202;
}

/* The task behind a file of procfs, as an address; 0 = gone. */
static __always_inline struct task_struct *pk_proc_task(const struct pid *pid)
{
	__u64 first = (__u64)BPF_CORE_READ(pid, tasks[PIDTYPE_PID].first);

	/* The first of enum pid_type: the links' address is that of its own. */
	return first ? (void *)(first - bpf_core_field_offset(struct task_struct, pid_links)) : 0;
}

static __always_inline struct pk_refusal pk_proc_refusal(__u32 agent, const struct inode *inode)
{
	struct pk_refusal refusal = { .found = true, .guard = PK_GUARD_KERNEL };
	struct task_struct *me = (struct task_struct *)bpf_get_current_task();
	__u64 outer = (__u64)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	struct pid *pid = BPF_CORE_READ((struct proc_inode *)outer, pid);
	struct task_struct *task;
	int tgid;

	if (!inode || !pid)
		return refusal;
	refusal.guard = PK_GUARD_SIGNALS;
	task = pk_proc_task(pid);
	if (!task)
		return refusal;
	tgid = BPF_CORE_READ(task, tgid);
	if (tgid == (int)pk_supervisor)
		refusal.reason = PK_REASON_SELF;
	else if (tgid == BPF_CORE_READ(me, tgid) || pk_cgroup_agent(task) == agent)
		refusal.found = false;
	return refusal;
}

static __always_inline struct pk_refusal pk_world_refusal(const struct pk_scratch *s,
							  const struct dentry *dentry)
{
	struct pk_refusal refusal = { .guard = PK_GUARD_KERNEL };
	const struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	__u32 mode = BPF_CORE_READ(inode, i_mode);
	unsigned long magic;

	if (s->rq.op == PK_OP_OPEN || s->rq.op == PK_OP_RECEIVE) {
		refusal.found = pk_is_raw_device(inode, mode);
		if (refusal.found)
			return refusal;
	}
	if (!(s->rq.access & PK_ACCESS_WRITE))
		return refusal;
	magic = BPF_CORE_READ(dentry, d_sb, s_magic);
	if (magic == PROC_SUPER_MAGIC)
		return pk_proc_refusal(s->rq.agent, inode);
	refusal.found = pk_is_control(magic);
	return refusal;
}

__noinline int pk_guard_object(struct pk_scratch *s)
{
	struct pk_refusal refusal;
	__u8 section, access, reason;
	int error;

	if (!s)
		return -EACCES;
	refusal = pk_world_refusal(s, (const struct dentry *)s->dentry);
	if (!refusal.found)
		return 0;
	section = s->rq.section;
	access = s->rq.access;
	reason = s->rq.reason;
	s->rq.section = PK_SECTION_PROCESS;
	s->rq.access = refusal.guard;
	s->rq.reason = refusal.reason;
	error = pk_decide(s);
	s->rq.section = section;
	s->rq.access = access;
	s->rq.reason = reason;
	return error;
}
