/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Files by path. Each hook gathers the object's path and what is wanted, decides, returns EACCES
 * (EXDEV where a rename or link is refused only because it would widen).
 *
 *   file_open                    read, write; exec when execve opens it
 *   file_receive                 the same, for a descriptor sent over a socket or taken out of
 *                                another process; of sockets those that are not the agent's own are
 *                                refused (EPERM)
 *   file_permission              until 6.4: sendfile and splice into a socket that is not the agent's
 *   path_notify                  read: watching
 *   path_mknod mkdir symlink     write at the new name (a regular file's creation is path_mknod)
 *   path_unlink rmdir            write
 *   path_rename link             write at both names, then the never-widen relation
 *   path_truncate, file_truncate write
 *   path_chmod chown             write
 *
 * Attributes are in attr.bpf.c. Writing to picket's own files and to the cgroup and bpf file systems
 * is refused whatever the policy says.
 *
 * No label: allowed. Work area busy, path unreadable, too long, too deep, or not below the task's
 * root: denied when the policy has a files section. Pipes, sockets, anonymous inodes and memfds
 * have no path and are not judged here.
 */
#include "picket.bpf.h"

#include "ask.bpf.h"
#include "object.bpf.h"
#include "socket.bpf.h"

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

/* Who asks, and for what. */
struct pk_wish {
	__u32 agent;
	__u32 subjects;
	__u32 op; /* enum pk_op */
	__u32 access;
	__u32 flags; /* PK_REQUEST_* */
	/* Tests: when it was found known. */
	__u64 moves; /* pk_leaf.moves */
	__u64 image;
};

/*
 * Is the name known to be allowed? Out of line: the stack. While times are taken every decision is to be
 * one that has one.
 */
static __noinline bool pk_leaf_allows(struct pk_wish *wish, const struct dentry *dentry,
				      const struct vfsmount *vfsmount)
{
	__u32 length, renames, mounts, access = wish->access;
	const struct pk_image *head;
	const struct pk_leaf *entry;
	struct pk_leaf now = {};

	now.hash = dentry->d_name.hash;
	entry = pk_leaf_at(now.hash, access);
	if (!entry || !entry->check || (entry->hash != now.hash && !(pk_cache_flaw & PK_FLAW_NAME)))
		return false;
	if (!pk_dir_serves(dentry, vfsmount) || pk_timing || pk_sampling)
		return false;
	head = pk_image_head(wish->agent);
	length = dentry->d_name.len;
	if (!head || !pk_leaf_place(&now, dentry, vfsmount, entry) ||
	    !pk_leaf_name(&now, dentry->d_name.name, length))
		return false;
	/* Last: the counts of the entry's making mean that nothing moved while all this was read. */
	if (!pk_dir_counts(&renames, &mounts))
		return false;
	now.image = pk_image_name(head);
	now.moves = (__u64)renames << 32 | mounts;
	now.rights = pk_leaf_rights(access, length, wish->subjects);
	if (pk_cache_check) {
		wish->moves = now.moves;
		wish->image = now.image;
		pk_leaf_flaw(&now, entry);
	}
	if (!pk_leaf_equal(&now, entry))
		return false;
	/* What may be written depends on more than its path. */
	return !(access & PK_ACCESS_WRITE) || (!pk_guard_wanted(wish->op, access, dentry) &&
					       !pk_file_refusal(dentry, wish->op, access));
}

/* Tests: what was known must be what is decided, unless something changed since. */
static __always_inline void pk_leaf_compare(const struct pk_scratch *s, const struct pk_wish *wish,
					    int error)
{
	__u32 renames, mounts;

	pk_count(s->rq.agent, PK_COUNT_CACHE_HIT);
	if (!pk_dir_counts(&renames, &mounts) || wish->moves != ((__u64)renames << 32 | mounts) ||
	    wish->image != s->dir.image)
		return;
	if (error)
		pk_count(s->rq.agent, PK_COUNT_CACHE_WRONG);
}

/* The object at @dentry below @vfsmount, by the caches or by the whole walk. wish->agent is not 0. */
static __always_inline int pk_ask_wish(struct pk_wish *wish, const struct dentry *dentry,
				       const struct vfsmount *vfsmount)
{
	bool known = pk_leaf_allows(wish, dentry, vfsmount);
	struct pk_scratch *s;
	int error;

	if (known && !pk_cache_check)
		return 0;
	s = pk_scratch_take(wish->agent);
	if (!s)
		return pk_errno(-EACCES);
	s->rq.subjects = wish->subjects;
	s->rq.flags = wish->flags;
	error = pk_ask_file(s, wish->op, wish->access, dentry, vfsmount);
	/* Who was let make the file asks about reading it, too. */
	if ((wish->flags & PK_REQUEST_MADE) && error == PK_AGAIN)
		error = pk_decide(s);
	if (known && pk_cache_check)
		pk_leaf_compare(s, wish, error);
	return pk_end(s, error);
}

/* The whole of a simple file hook: earlier verdict @ret, label, decision. */
static __always_inline int pk_file_hook(int ret, __u32 op, __u32 access,
					const struct dentry *dentry,
					const struct vfsmount *vfsmount)
{
	struct pk_wish wish = { .op = op, .access = access };

	if (ret)
		return ret;
	wish.agent = pk_who_as(&wish.subjects);
	return wish.agent ? pk_ask_wish(&wish, dentry, vfsmount) : 0;
}

SEC("lsm/file_open")
int BPF_PROG(pk_file_open, struct file *file, int ret)
{
	struct pk_wish wish = { .op = PK_OP_OPEN };
	__u32 mode;

	if (ret)
		return ret;
	wish.agent = pk_who_as(&wish.subjects);
	if (!wish.agent)
		return 0;
	mode = file->f_mode;
	if (mode & FMODE_CREATED)
		wish.flags = PK_REQUEST_MADE;
	wish.access = pk_open_access(mode, file->f_flags);
	return pk_ask_wish(&wish, file->f_path.dentry, file->f_path.mnt);
}

/* Refuse @op with a socket that is not the agent's own. Unix sockets have their own hooks. */
static __always_inline int pk_refuse_socket(const struct socket *sock, __u32 op)
{
	const struct sock *sk = BPF_CORE_READ(sock, sk);
	struct pk_use use = {};
	struct cgroup *cgroup;

	use.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (use.family == AF_UNIX)
		return 0;
	use.agent = pk_who_as(&use.subjects);
	if (!use.agent)
		return 0;
	cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	if (!pk_is_elsewhere(cgroup, BPF_CORE_READ(cgroup, kn, id), use.agent))
		return 0;
	use.type = BPF_CORE_READ(sk, sk_type);
	use.protocol = BPF_CORE_READ(sk, sk_protocol);
	return pk_refuse_use(&use, op, PK_REASON_FOREIGN);
}

/* A descriptor from elsewhere. One that is a path only gives no access: using it opens it. */
SEC("lsm/file_receive")
int BPF_PROG(pk_file_receive, struct file *file, int ret)
{
	__u32 mode = file->f_mode;

	if (ret || (mode & FMODE_PATH))
		return ret;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFSOCK)
		return pk_refuse_socket(BPF_CORE_READ(file, private_data), PK_OP_RECEIVE);
	return pk_file_hook(ret, PK_OP_RECEIVE, pk_open_access(mode, 0), file->f_path.dentry,
			    file->f_path.mnt);
}

/* Pages put into a socket pass no other hook until 6.4; the loader leaves this one out elsewhere. */
SEC("?lsm/file_permission")
int BPF_PROG(pk_file_perm, struct file *file, int mask, int ret)
{
	if (ret || !(mask & MAY_WRITE) || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return ret;
	return pk_refuse_socket(BPF_CORE_READ(file, private_data), PK_OP_SEND);
}

SEC("lsm/path_notify")
int BPF_PROG(pk_path_notify, const struct path *path, u64 mask, unsigned int type, int ret)
{
	return pk_file_hook(ret, PK_OP_WATCH, PK_ACCESS_READ, path->dentry, path->mnt);
}

SEC("lsm/path_mknod")
int BPF_PROG(pk_path_mknod, const struct path *dir, struct dentry *dentry, umode_t mode,
	     unsigned int dev, int ret)
{
	__u32 type = mode & S_IFMT;
	struct pk_scratch *s;
	int error;

	if (ret)
		return ret;
	if (type != S_IFBLK && (type != S_IFCHR || !dev))
		return pk_file_hook(0, !type || type == S_IFREG ? PK_OP_CREATE : PK_OP_MKNOD,
				    PK_ACCESS_WRITE, dentry, dir->mnt);
	s = pk_begin(&error);
	if (!s)
		return pk_errno(error);
	s->rq.reason = PK_REASON_DEVICE;
	return pk_end(s, pk_ask_file(s, PK_OP_MKNOD, PK_ACCESS_WRITE, dentry, dir->mnt));
}

SEC("lsm/path_mkdir")
int BPF_PROG(pk_path_mkdir, const struct path *dir, struct dentry *dentry, umode_t mode, int ret)
{
	return pk_file_hook(ret, PK_OP_MKDIR, PK_ACCESS_WRITE, dentry, dir->mnt);
}

SEC("lsm/path_rmdir")
int BPF_PROG(pk_path_rmdir, const struct path *dir, struct dentry *dentry, int ret)
{
	return pk_file_hook(ret, PK_OP_RMDIR, PK_ACCESS_WRITE, dentry, dir->mnt);
}

SEC("lsm/path_unlink")
int BPF_PROG(pk_path_unlink, const struct path *dir, struct dentry *dentry, int ret)
{
	return pk_file_hook(ret, PK_OP_UNLINK, PK_ACCESS_WRITE, dentry, dir->mnt);
}

SEC("lsm/path_symlink")
int BPF_PROG(pk_path_symlink, const struct path *dir, struct dentry *dentry, const char *target,
	     int ret)
{
	return pk_file_hook(ret, PK_OP_SYMLINK, PK_ACCESS_WRITE, dentry, dir->mnt);
}

SEC("lsm/path_truncate")
int BPF_PROG(pk_path_trunc, const struct path *path, int ret)
{
	return pk_file_hook(ret, PK_OP_TRUNCATE, PK_ACCESS_WRITE, path->dentry, path->mnt);
}

/* Since 6.2 ftruncate() asks here and no longer at path_truncate. */
SEC("?lsm/file_truncate")
int BPF_PROG(pk_file_trunc, struct file *file, int ret)
{
	return pk_file_hook(ret, PK_OP_TRUNCATE, PK_ACCESS_WRITE, file->f_path.dentry,
			    file->f_path.mnt);
}

SEC("lsm/path_chmod")
int BPF_PROG(pk_path_chmod, const struct path *path, umode_t mode, int ret)
{
	return pk_file_hook(ret, PK_OP_CHMOD, PK_ACCESS_WRITE, path->dentry, path->mnt);
}

SEC("lsm/path_chown")
int BPF_PROG(pk_path_chown, const struct path *path, u32 uid, u32 gid, int ret)
{
	return pk_file_hook(ret, PK_OP_CHOWN, PK_ACCESS_WRITE, path->dentry, path->mnt);
}

struct pk_move_names {
	const struct dentry *from;
	const struct dentry *to;
	const struct vfsmount
		*vfsmount; /* of both: the kernel refuses moves across mounts before it asks */
	__u32 exchange;
};

/* The mode that decides which relation holds: in an exchange a directory's, if either is one. */
static __always_inline __u32 pk_move_mode(const struct pk_move_names *names)
{
	const struct dentry *from = names->from, *to = names->to;
	__u32 mode = BPF_CORE_READ(from, d_inode, i_mode);

	if (names->exchange && (BPF_CORE_READ(to, d_inode, i_mode) & S_IFMT) == S_IFDIR)
		return S_IFDIR;
	return mode;
}

/* Write at both names, then the relation, then one report with both. */
static __always_inline int pk_ask_move(struct pk_scratch *s, __u32 op, __u32 move,
				       const struct pk_move_names *names)
{
	int error;

	s->rq.flags = PK_REQUEST_QUIET | PK_REQUEST_LATER;
	error = pk_ask_walked(s, op, PK_ACCESS_WRITE, names->from, names->vfsmount);
	/* A reason that let it pass: audit mode has reported it, or no layer asks. */
	if (error || s->rq.reason)
		return error;
	s->asked.open = 0;
	s->rq.flags = PK_REQUEST_QUIET | PK_REQUEST_LATER | PK_REQUEST_SECOND;
	pk_request_file(s, op, PK_ACCESS_WRITE, names->to);
	pk_path_of(s, names->to, names->vfsmount, 1);
	error = pk_ask_object(s, names->to);
	if (error || s->rq.reason)
		return error;
	s->rq.flags = PK_REQUEST_BOTH;
	if (pk_widens(s, pk_move_mode(names), move)) {
		s->rq.reason = PK_REASON_WIDENS;
		s->rq.error = EXDEV;
	} else if (s->asked.open) {
		/* The question about the second name is one about both. */
		return pk_ask(s);
	}
	return pk_decide(s);
}

static __always_inline int pk_move_hook(int ret, __u32 op, __u32 move,
					const struct pk_move_names *names)
{
	struct pk_scratch *s;
	int error;

	if (ret)
		return ret;
	s = pk_begin(&error);
	if (!s)
		return pk_errno(error);
	return pk_end(s, pk_ask_move(s, op, move, names));
}

SEC("lsm/path_rename")
int BPF_PROG(pk_path_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry, unsigned int flags, int ret)
{
	struct pk_move_names names = {
		.from = old_dentry,
		.to = new_dentry,
		.vfsmount = new_dir->mnt,
		.exchange = flags & RENAME_EXCHANGE,
	};

	return pk_move_hook(ret, PK_OP_RENAME, names.exchange ? PK_MOVE_EXCHANGE : PK_MOVE_RENAME,
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
	};

	return pk_move_hook(ret, PK_OP_LINK, PK_MOVE_LINK, &names);
}
