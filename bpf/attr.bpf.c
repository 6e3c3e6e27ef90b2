/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Attributes of files: access `write`, EACCES.
 *
 *   inode_setxattr, removexattr   extended attributes
 *   inode_set_acl, remove_acl     POSIX ACLs, since 6.2; before, they are extended attributes
 *   inode_setattr                 times alone; owner, mode and size have hooks in file.bpf.c
 *   file_ioctl, file_ioctl_compat inode flags, project, version, verity, encryption: write at the
 *                                 file's path. Btrfs snapshots and searches, which show files under
 *                                 other names or none: refused
 *
 * All but the ioctls get an inode without a mount. Every mount of the task's namespace that shows it
 * gives it a name, and all of them are judged. Too many mounts, or none: denied. A file that only
 * the kernel's own mounts show (pipe, memfd, the layers of an overlay) has no name of the policy's
 * world and is not judged; nor is what the kernel does under other credentials than the task's.
 */
#include "picket.bpf.h"

#include "compat.bpf.h"
#include "object.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct pk_names {
	struct pk_scratch *s;
	__u64 dentry;
	__u64 sb;
	__u64 mount;
	__u64 namespace;
	int error;
	__u32 named; /* names judged, or none needed: a file system inside the kernel */
};

/* One mount of the object's file system: judge the name it gives, if it is in our namespace. */
static long pk_names_step(__u32 index, void *arg)
{
	struct pk_names *n = arg;
	struct mount *mount = (struct mount *)n->mount;
	__u64 vfsmount = n->mount + bpf_core_field_offset(struct mount, mnt);
	__u64 owner;

	if (!n->mount)
		return 1;
	n->mount = pk_mount_next(n->sb, n->mount);
	owner = (__u64)BPF_CORE_READ(mount, mnt_ns);
	if (PK_IS_ERR(owner))
		n->named = 1;
	if (owner != n->namespace)
		return 0;
	n->s->rq.reason = 0;
	n->s->rq.flags &= ~PK_REQUEST_ALWAYS;
	if (pk_path_of(n->s, (void *)n->dentry, (void *)vfsmount, 0) != PK_WALK_PATH)
		return 0;
	n->named = 1;
	n->error = pk_ask_object(n->s, (void *)n->dentry);
	return n->error != 0;
}

/* Most mounts of one file system that are looked at; an object with more is denied. */
#define PK_NAMES_MAX 256

static __always_inline int pk_ask_names(struct pk_scratch *s, __u32 op, const struct dentry *dentry)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pk_names n = {
		.s = s,
		.dentry = (__u64)dentry,
		.sb = (__u64)BPF_CORE_READ(dentry, d_sb),
		.namespace = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns),
	};

	pk_request_file(s, op, PK_ACCESS_WRITE, dentry);
	if (s->rq.reason)
		return pk_decide(s);
	n.mount = pk_mount_first(n.sb);
	bpf_loop(PK_NAMES_MAX, pk_names_step, &n, 0);
	if (n.error || (n.named && !n.mount))
		return n.error;
	s->rq.reason = n.named ? PK_REASON_PATH_DEEP : PK_REASON_DETACHED;
	return pk_decide(s);
}

/*
 * An overlay file system writes to its layers under the credentials of who mounted it, after the
 * task was judged at the name it used. A task can take other credentials by itself through io_uring
 * only, so one that uses it is judged at the layer too.
 */
static __always_inline bool pk_kernel_acts(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (BPF_CORE_READ(task, cred) == BPF_CORE_READ(task, real_cred))
		return false;
	return !(BPF_CORE_READ(task, flags) & PF_IO_WORKER) && !BPF_CORE_READ(task, io_uring);
}

static __always_inline int pk_names_hook(int ret, __u32 op, const struct dentry *dentry)
{
	struct pk_scratch *s;
	int error;

	if (ret)
		return ret;
	s = pk_begin(&error);
	if (!s)
		return pk_errno(error);
	if (pk_kernel_acts())
		return pk_end(s, 0);
	return pk_end(s, pk_ask_names(s, op, dentry));
}

SEC("lsm/inode_setxattr")
int BPF_PROG(pk_setxattr, void *idmap, struct dentry *dentry, const char *name, const void *value,
	     size_t size, int flags, int ret)
{
	return pk_names_hook(ret, PK_OP_SETXATTR, dentry);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(pk_removexattr, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return pk_names_hook(ret, PK_OP_REMOVEXATTR, dentry);
}

SEC("?lsm/inode_set_acl")
int BPF_PROG(pk_set_acl, void *idmap, struct dentry *dentry, const char *name, void *acl, int ret)
{
	return pk_names_hook(ret, PK_OP_ACL, dentry);
}

SEC("?lsm/inode_remove_acl")
int BPF_PROG(pk_remove_acl, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return pk_names_hook(ret, PK_OP_ACL, dentry);
}

/* Times and nothing else: the rest has been asked for elsewhere, or follows from it. */
static __always_inline bool pk_only_times(const struct iattr *attr)
{
	__u32 valid = BPF_CORE_READ(attr, ia_valid);

	if (!(valid & (ATTR_ATIME | ATTR_MTIME)))
		return false;
	return !(valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_SIZE | ATTR_KILL_SUID |
			  ATTR_KILL_SGID | ATTR_KILL_PRIV));
}

static __always_inline int pk_setattr_hook(int ret, const struct dentry *dentry,
					   const struct iattr *attr)
{
	if (ret || !pk_only_times(attr))
		return ret;
	return pk_names_hook(0, PK_OP_UTIMES, dentry);
}

/* Before 6.9 the hook, but not its security_ function, comes without the mount's id mapping. */
SEC("lsm/inode_setattr")
int pk_setattr(__u64 *ctx)
{
	if (pk_setattr_unmapped())
		return pk_setattr_hook((int)pk_argument(ctx, 2), (void *)pk_argument(ctx, 0),
				       (void *)pk_argument(ctx, 1));
	return pk_setattr_hook((int)pk_argument(ctx, 3), (void *)pk_argument(ctx, 1),
			       (void *)pk_argument(ctx, 2));
}

/* The type and number of an ioctl, whatever size the caller's kind of program gives its argument. */
#define PK_IOCTL(type, number) ((type) << 8 | (number))

/* Sets something of the file: flags, version, project, encryption policy, verity. */
static __always_inline bool pk_ioctl_writes(__u32 command)
{
	switch (command & 0xffff) {
	case PK_IOCTL('f', 2):
	case PK_IOCTL('v', 2):
	case PK_IOCTL('X', 32):
	case PK_IOCTL('f', 19):
	case PK_IOCTL('f', 133):
	case PK_IOCTL(0x94, 26):
		return true;
	default:
		return false;
	}
}

/*
 * Btrfs: snapshots and subvolumes give files other names; deleting them, searching the tree and
 * sending a subvolume go around names.
 */
static __always_inline bool pk_ioctl_renames(__u32 command)
{
	switch (command & 0xffff) {
	case PK_IOCTL(0x94, 1):
	case PK_IOCTL(0x94, 14):
	case PK_IOCTL(0x94, 15):
	case PK_IOCTL(0x94, 17):
	case PK_IOCTL(0x94, 18):
	case PK_IOCTL(0x94, 19):
	case PK_IOCTL(0x94, 23):
	case PK_IOCTL(0x94, 24):
	case PK_IOCTL(0x94, 38):
	case PK_IOCTL(0x94, 63):
		return true;
	default:
		return false;
	}
}

/* Types into a terminal, or has signals sent: the process section's. */
static __always_inline bool pk_ioctl_controls(__u32 command)
{
	switch (command) {
	case TIOCSTI:
	case TIOCLINUX:
	case FIOSETOWN:
	case SIOCSPGRP:
		return true;
	default:
		return false;
	}
}

static __always_inline int pk_ioctl_file(int ret, const struct file *file, __u32 command)
{
	bool renames = pk_ioctl_renames(command);
	struct pk_scratch *s;
	int error;

	if (!ret && pk_ioctl_controls(command))
		return pk_ioctl_guard(pk_who(), command);
	if (ret || (!renames && !pk_ioctl_writes(command)))
		return ret;
	s = pk_begin(&error);
	if (!s)
		return pk_errno(error);
	s->rq.detail = command;
	if (renames)
		s->rq.reason = PK_REASON_MOUNT;
	return pk_end(s, pk_ask_walked(s, PK_OP_IOCTL, PK_ACCESS_WRITE, file->f_path.dentry,
				       file->f_path.mnt));
}

SEC("lsm/file_ioctl")
int BPF_PROG(pk_file_ioctl, struct file *file, unsigned int command, unsigned long arg, int ret)
{
	return pk_ioctl_file(ret, file, command);
}

/* Since 6.8, and 6.1.75: of 32-bit programs. */
SEC("?lsm/file_ioctl_compat")
int BPF_PROG(pk_ioctl_compat, struct file *file, unsigned int command, unsigned long arg, int ret)
{
	return pk_ioctl_file(ret, file, command);
}
