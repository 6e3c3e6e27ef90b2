/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Files by path. Each hook gathers the object's path and what is wanted, decides, returns EACCES
 * (EXDEV where a rename or link is refused only because it would widen).
 *
 *   file_open                    read, write; exec when execve opens it
 *   path_mknod mkdir symlink     write at the new name (a regular file's creation is path_mknod)
 *   path_unlink rmdir            write
 *   path_rename link             write at both names, then the never-widen relation
 *   path_truncate, file_truncate write
 *   path_chmod chown             write
 *   inode_setxattr               write, at every name the mounts of the task's namespace give
 *
 * No label: allowed. Work area busy, path unreadable, too long, too deep, or not below the task's
 * root: denied when the policy has a files section. Pipes, sockets, anonymous inodes and memfds
 * have no path and are not judged here.
 */
#include "picket.bpf.h"

#include "compat.bpf.h"
#include "object.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What an open asks for. */
static __always_inline __u32 pk_open_access(__u32 mode, __u32 flags)
{
	__u32 access = 0;

	if (flags & FMODE_EXEC)
		return PK_ACCESS_EXEC;
	if (mode & FMODE_READ)
		access |= PK_ACCESS_READ;
	if ((mode & FMODE_WRITE) || (flags & O_TRUNC))
		access |= PK_ACCESS_WRITE;
	/* Neither: O_WRONLY|O_RDWR, which ioctl-only users of devices pass. */
	return access ? access : PK_ACCESS_READ | PK_ACCESS_WRITE;
}

/* File systems whose files are no files of the policy's world: always refused for some uses. */
static __always_inline __u32 pk_open_refusal(const struct file *file, __u32 access)
{
	unsigned long magic = BPF_CORE_READ(file, f_inode, i_sb, s_magic);

	if (magic == CGROUP_MAGIC || magic == CGROUP2_MAGIC)
		return access & PK_ACCESS_WRITE ? PK_REASON_CGROUP : 0;
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(pk_file_open, struct file *file, int ret)
{
	struct pk_scratch *s;
	__u32 agent, access;
	int error;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	s = pk_scratch_take(agent);
	if (!s)
		return -EACCES;
	access = pk_open_access(file->f_mode, file->f_flags);
	s->rq.reason = (__u8)pk_open_refusal(file, access);
	if (s->rq.reason)
		s->rq.flags = PK_REQUEST_ALWAYS;
	error = pk_ask_file(s, PK_OP_OPEN, access, file->f_path.dentry, file->f_path.mnt);
	pk_scratch_give(s);
	return pk_errno(error);
}

SEC("lsm/path_mknod")
int BPF_PROG(pk_path_mknod, const struct path *dir, struct dentry *dentry, umode_t mode,
	     unsigned int dev, int ret)
{
	__u32 agent, type = mode & S_IFMT;
	struct pk_scratch *s;
	int error;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	s = pk_scratch_take(agent);
	if (!s)
		return -EACCES;
	if (type == S_IFBLK || (type == S_IFCHR && dev))
		s->rq.reason = PK_REASON_DEVICE;
	error = pk_ask_file(s, !type || type == S_IFREG ? PK_OP_CREATE : PK_OP_MKNOD,
			    PK_ACCESS_WRITE, dentry, dir->mnt);
	pk_scratch_give(s);
	return pk_errno(error);
}

SEC("lsm/path_mkdir")
int BPF_PROG(pk_path_mkdir, const struct path *dir, struct dentry *dentry, umode_t mode, int ret)
{
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	return pk_file_hook(agent, PK_OP_MKDIR, PK_ACCESS_WRITE, dentry, dir->mnt);
}

SEC("lsm/path_rmdir")
int BPF_PROG(pk_path_rmdir, const struct path *dir, struct dentry *dentry, int ret)
{
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	return pk_file_hook(agent, PK_OP_RMDIR, PK_ACCESS_WRITE, dentry, dir->mnt);
}

SEC("lsm/path_unlink")
int BPF_PROG(pk_path_unlink, const struct path *dir, struct dentry *dentry, int ret)
{
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	return pk_file_hook(agent, PK_OP_UNLINK, PK_ACCESS_WRITE, dentry, dir->mnt);
}

SEC("lsm/path_symlink")
int BPF_PROG(pk_path_symlink, const struct path *dir, struct dentry *dentry, const char *target,
	     int ret)
{
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	return pk_file_hook(agent, PK_OP_SYMLINK, PK_ACCESS_WRITE, dentry, dir->mnt);
}

SEC("lsm/path_truncate")
int BPF_PROG(pk_path_trunc, const struct path *path, int ret)
{
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	return pk_file_hook(agent, PK_OP_TRUNCATE, PK_ACCESS_WRITE, path->dentry, path->mnt);
}

/* Since 6.2 ftruncate() asks here and no longer at path_truncate. */
SEC("?lsm/file_truncate")
int BPF_PROG(pk_file_trunc, struct file *file, int ret)
{
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	return pk_file_hook(agent, PK_OP_TRUNCATE, PK_ACCESS_WRITE, file->f_path.dentry,
			    file->f_path.mnt);
}

SEC("lsm/path_chmod")
int BPF_PROG(pk_path_chmod, const struct path *path, umode_t mode, int ret)
{
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	return pk_file_hook(agent, PK_OP_CHMOD, PK_ACCESS_WRITE, path->dentry, path->mnt);
}

SEC("lsm/path_chown")
int BPF_PROG(pk_path_chown, const struct path *path, u32 uid, u32 gid, int ret)
{
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	return pk_file_hook(agent, PK_OP_CHOWN, PK_ACCESS_WRITE, path->dentry, path->mnt);
}

struct pk_move_names {
	const struct dentry *from;
	const struct dentry *to;
	const struct vfsmount
		*vfsmount; /* of both: the kernel refuses moves across mounts before it asks */
	__u32 mode;
};

/* Write at both names, then the relation, then one report with both. */
static __always_inline int pk_ask_move(struct pk_scratch *s, __u32 op, __u32 move,
				       const struct pk_move_names *names)
{
	int error;

	s->rq.flags = PK_REQUEST_QUIET;
	error = pk_ask_file(s, op, PK_ACCESS_WRITE, names->from, names->vfsmount);
	if (error)
		return error;
	s->rq.flags = PK_REQUEST_QUIET | PK_REQUEST_SECOND;
	pk_path_of(s, names->to, names->vfsmount, 1);
	error = pk_decide(s);
	if (error)
		return error;
	s->rq.flags = PK_REQUEST_BOTH;
	if (pk_widens(s, names->mode, move)) {
		s->rq.reason = PK_REASON_WIDENS;
		s->rq.error = EXDEV;
	}
	return pk_decide(s);
}

static __always_inline int pk_move_hook(__u32 agent, __u32 op, __u32 move,
					const struct pk_move_names *names)
{
	struct pk_scratch *s = pk_scratch_take(agent);
	int error;

	if (!s)
		return -EACCES;
	error = pk_ask_move(s, op, move, names);
	pk_scratch_give(s);
	return pk_errno(error);
}

SEC("lsm/path_rename")
int BPF_PROG(pk_path_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry, unsigned int flags, int ret)
{
	struct pk_move_names names = {
		.from = old_dentry,
		.to = new_dentry,
		.vfsmount = new_dir->mnt,
		.mode = BPF_CORE_READ(old_dentry, d_inode, i_mode),
	};
	__u32 agent, exchange = flags & RENAME_EXCHANGE;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	if (exchange && (BPF_CORE_READ(new_dentry, d_inode, i_mode) & S_IFMT) == S_IFDIR)
		names.mode = S_IFDIR;
	return pk_move_hook(agent, PK_OP_RENAME, exchange ? PK_MOVE_EXCHANGE : PK_MOVE_RENAME,
			    &names);
}

SEC("lsm/path_link")
int BPF_PROG(pk_path_link, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry, int ret)
{
	struct pk_move_names names = {
		.from = old_dentry,
		.to = new_dentry,
		.vfsmount = new_dir->mnt,
		.mode = BPF_CORE_READ(old_dentry, d_inode, i_mode),
	};
	__u32 agent;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	return pk_move_hook(agent, PK_OP_LINK, PK_MOVE_LINK, &names);
}

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
	if (pk_path_of(n->s, (void *)n->dentry, (void *)vfsmount, 0) != PK_WALK_PATH)
		return 0;
	n->named = 1;
	n->error = pk_decide(n->s);
	return n->error != 0;
}

/* Most mounts of one file system that are looked at; an object with more is denied. */
#define PK_NAMES_MAX 256

/* The hook has no mount. Every mount that shows the object gives it a name; all are judged. */
static __always_inline int pk_ask_names(struct pk_scratch *s, const struct dentry *dentry)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pk_names n = {
		.s = s,
		.dentry = (__u64)dentry,
		.sb = (__u64)BPF_CORE_READ(dentry, d_sb),
		.namespace = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns),
	};

	s->rq.section = PK_SECTION_FILES;
	s->rq.access = PK_ACCESS_WRITE;
	s->rq.op = PK_OP_SETXATTR;
	s->rq.error = EACCES;
	n.mount = pk_mount_first(n.sb);
	bpf_loop(PK_NAMES_MAX, pk_names_step, &n, 0);
	if (n.error || (n.named && !n.mount))
		return n.error;
	s->rq.reason = n.named ? PK_REASON_PATH_DEEP : PK_REASON_DETACHED;
	return pk_decide(s);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(pk_setxattr, void *idmap, struct dentry *dentry, const char *name, const void *value,
	     size_t size, int flags, int ret)
{
	struct pk_scratch *s;
	__u32 agent;
	int error;

	if (ret)
		return ret;
	agent = pk_who();
	if (!agent)
		return 0;
	s = pk_scratch_take(agent);
	if (!s)
		return -EACCES;
	error = pk_ask_names(s, dentry);
	pk_scratch_give(s);
	return pk_errno(error);
}
