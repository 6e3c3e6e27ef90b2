/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Mounts and namespaces: what would pull the ground from under path rules, or leave their world.
 *
 *   sb_mount      mount(2): bind, remount, new
 *   move_mount    move_mount(2), which attaches what fsmount() and open_tree() made
 *   sb_pivotroot  pivot_root(2)
 *   sb_umount     umount(2): what was below shows again
 *   sb_remount    fsconfig(2) on a mounted file system
 *   userns_create a new user namespace
 *
 * Refused by the guards mounts and namespaces; mounting also always, when the policy has a files or
 * exec section, and on or of picket's own folders (own.bpf.c). What has no hook (setns, unshare, mount_setattr, ...) is refused where the kernel
 * asks for the capability, in kernel.bpf.c.
 *
 * EPERM. No label: allowed.
 */
#include "picket.bpf.h"

#include "guard.bpf.h"
#include "object.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The section that refuses mounting: PK_SECTION__MAX = none. */
static __always_inline __u32 pk_mount_section(__u32 agent)
{
	const struct pk_image *head = pk_image_head(agent);

	if (head && head->defaults[PK_SECTION_FILES].present)
		return PK_SECTION_FILES;
	if (head && head->defaults[PK_SECTION_EXEC].present)
		return PK_SECTION_EXEC;
	if (!head || ((head->guards.deny | head->guards.ask) & (1U << PK_GUARD_MOUNTS)))
		return PK_SECTION_PROCESS;
	return PK_SECTION__MAX;
}

__noinline int pk_refuse_mount(__u32 agent, __u32 op, __u32 flags)
{
	__u32 section = pk_mount_section(agent);
	struct pk_scratch *s;
	int error;

	if (section == PK_SECTION__MAX)
		return 0;
	s = pk_scratch_take(agent);
	if (!s)
		return -EPERM;
	s->rq.section = (__u8)section;
	s->rq.op = (__u8)op;
	s->rq.flags = flags;
	s->rq.error = EPERM;
	s->rq.access = section == PK_SECTION_PROCESS ? PK_GUARD_MOUNTS : PK_ACCESS_WRITE;
	if (section == PK_SECTION_EXEC)
		s->rq.access = PK_ACCESS_RUN;
	if (section != PK_SECTION_PROCESS)
		s->rq.reason = PK_REASON_MOUNT;
	error = pk_decide_unkeyed(s);
	pk_scratch_give(s);
	return error;
}

/* Refuse @op for what it is done to: @dentry is picket's own, or below what is. */
static __noinline int pk_refuse_own(__u32 agent, __u32 op, __u64 dentry)
{
	struct pk_scratch *s = pk_scratch_take(agent);
	int error = 0;

	if (!s)
		return -EPERM;
	s->rq.section = PK_SECTION_FILES;
	s->rq.access = PK_ACCESS_WRITE;
	s->rq.op = (__u8)op;
	s->rq.error = EPERM;
	s->dentry = dentry;
	pk_own_object(s);
	if (s->rq.reason)
		error = pk_decide_unkeyed(s);
	pk_scratch_give(s);
	return error;
}

/* @dentry is an address; 0 = it is done to nothing that has a name. */
static __always_inline int pk_mount_hook(int ret, __u32 op, __u32 flags, __u64 dentry)
{
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	ret = dentry ? pk_refuse_own(agent, op, dentry) : 0;
	return pk_errno(ret ? ret : pk_refuse_mount(agent, op, flags));
}

SEC("lsm/sb_mount")
int BPF_PROG(pk_sb_mount, const char *dev, const struct path *path, const char *type,
	     unsigned long flags, void *data, int ret)
{
	return pk_mount_hook(ret, PK_OP_MOUNT, 0, (__u64)BPF_CORE_READ(path, dentry));
}

SEC("lsm/move_mount")
int BPF_PROG(pk_move_mount, const struct path *from, const struct path *to, int ret)
{
	return pk_mount_hook(ret, PK_OP_MOUNT, 0, (__u64)BPF_CORE_READ(to, dentry));
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(pk_pivotroot, const struct path *old_path, const struct path *new_path, int ret)
{
	return pk_mount_hook(ret, PK_OP_MOUNT, 0, 0);
}

SEC("lsm/sb_umount")
int BPF_PROG(pk_sb_umount, struct vfsmount *vfsmount, int flags, int ret)
{
	return pk_mount_hook(ret, PK_OP_UMOUNT, 0, (__u64)BPF_CORE_READ(vfsmount, mnt_root));
}

/* A file system context that failed once cannot be tried again. */
SEC("lsm/sb_remount")
int BPF_PROG(pk_sb_remount, struct super_block *sb, void *options, int ret)
{
	return pk_mount_hook(ret, PK_OP_MOUNT, PK_REQUEST_HIDDEN, 0);
}

SEC("lsm/userns_create")
int BPF_PROG(pk_userns, const struct cred *cred, int ret)
{
	if (ret)
		return ret;
	return pk_guard_act(PK_GUARD_NAMESPACES, PK_OP_NAMESPACE, 0);
}
