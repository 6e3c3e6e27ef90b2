/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the file and program hooks share: from a hook's objects to a decision.
 */
#ifndef PICKET_OBJECT_BPF_H
#define PICKET_OBJECT_BPF_H

#include "decide.bpf.h"
#include "dir.bpf.h"
#include "guard.bpf.h"
#include "path.bpf.h"

/**
 * The work area for a request of the running task. NULL ends the hook with *@ret_error: 0 when the
 * task is nobody's, a denial when no area is free.
 */
static __always_inline struct pk_scratch *pk_begin(int *ret_error)
{
	struct pk_scratch *s;
	__u32 agent, subjects;

	*ret_error = 0;
	agent = pk_who_as(&subjects);
	if (!agent)
		return 0;
	s = pk_scratch_take(agent);
	if (s)
		s->rq.subjects = subjects;
	else
		*ret_error = -EACCES;
	return s;
}

/** Give the work area back; the hook's return value. */
static __always_inline int pk_end(struct pk_scratch *s, int error)
{
	pk_scratch_give(s);
	return pk_errno(error);
}

/** What is noted of the object at @dentry itself, see enum pk_own_flag; 0 = nothing. */
static __always_inline __u32 pk_own_value(const struct dentry *dentry, const struct super_block *sb)
{
	const struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct pk_inode_key key = {};
	const __u32 *value;

	if (!inode)
		return 0;
	key.device = BPF_CORE_READ(sb, s_dev);
	key.number = BPF_CORE_READ(inode, i_ino);
	value = bpf_map_lookup_elem(&pk_own, &key);
	return value ? *value : 0;
}

/** Does what is noted of an object, or of the folder around it, refuse @op with @access? */
static __always_inline bool pk_own_refuses(__u32 own, __u32 op, __u32 access)
{
	if (own & PK_OWN_FEED)
		return access & PK_ACCESS_WRITE;
	if ((own & PK_OWN_SECRET) && (access & (PK_ACCESS_READ | PK_ACCESS_EXEC)))
		return true;
	if (!(access & PK_ACCESS_WRITE))
		return false;
	if (own & (PK_OWN_FILE | PK_OWN_TREE))
		return true;
	return (own & PK_OWN_ABOVE) && (op == PK_OP_RENAME || op == PK_OP_RMDIR);
}

/**
 * own.bpf.c: refuse the request in @s, for the object at s->dentry, when that is picket's own or below a
 * folder that is: sets s->rq.reason. Returns 0, always.
 */
int pk_own_object(struct pk_scratch *s);

/** What no agent may do to a file, whatever its policy: an enum pk_reason, or 0. */
static __always_inline __u32 pk_file_refusal(const struct dentry *dentry, __u32 op, __u32 access)
{
	const struct super_block *sb;
	unsigned long magic;

	if (!(access & PK_ACCESS_WRITE))
		return 0;
	sb = BPF_CORE_READ(dentry, d_sb);
	magic = BPF_CORE_READ(sb, s_magic);
	if (magic == CGROUP_MAGIC || magic == CGROUP2_MAGIC)
		return PK_REASON_CGROUP;
	if (magic == BPF_FS_MAGIC || pk_own_refuses(pk_own_value(dentry, sb), op, access))
		return PK_REASON_SELF;
	return 0;
}

/** Make the request one for @access to the file at @dentry. */
static __always_inline void pk_request_file(struct pk_scratch *s, __u32 op, __u32 access,
					    const struct dentry *dentry)
{
	__u32 refusal = pk_file_refusal(dentry, op, access);

	s->rq.section = PK_SECTION_FILES;
	s->rq.access = (__u8)access;
	s->rq.op = (__u8)op;
	s->rq.error = EACCES;
	if (!refusal)
		return;
	s->rq.reason = (__u8)refusal;
	s->rq.flags |= PK_REQUEST_ALWAYS;
}

/* The object's path is walked: is it refused for what it is, or by its path? */
static __always_inline int pk_ask_object(struct pk_scratch *s, const struct dentry *dentry)
{
	int error;

	/* By way of memory: verifiers take a typed pointer for no number. */
	s->dentry = (__u64)dentry;
	asm volatile("" ::: "memory");
	pk_own_object(s);
	error = pk_guard_file(s, s->dentry);
	return error ? error : pk_decide(s);
}

/**
 * Ask for one file by the whole walk, which leaves its path in the first place: @access to the
 * object at @dentry below @vfsmount. Addresses do, they need no types.
 */
static __always_inline int pk_ask_walked(struct pk_scratch *s, __u32 op, __u32 access,
					 const struct dentry *dentry, const void *vfsmount)
{
	pk_request_file(s, op, access, dentry);
	if (pk_path_of(s, dentry, vfsmount, 0) == PK_WALK_NAMELESS && !s->rq.reason)
		return 0;
	return pk_ask_object(s, dentry);
}

/** The same for pointers that the verifier knows, as a hook has them: these the cache serves. */
static __always_inline int pk_ask_file(struct pk_scratch *s, __u32 op, __u32 access,
				       const struct dentry *dentry, const struct vfsmount *vfsmount)
{
	int error;

	pk_request_file(s, op, access, dentry);
	if (!s->rq.reason && !pk_guard_wanted(op, access, dentry) &&
	    pk_dir_allows(s, dentry, vfsmount))
		return 0;
	if (pk_path_of(s, dentry, vfsmount, 0) == PK_WALK_NAMELESS && !s->rq.reason)
		return 0;
	error = pk_ask_object(s, dentry);
	pk_dir_learn(s);
	return error;
}

/** Does a mapping made with @prot and @flags of mmap(2) write to its file? */
static __always_inline bool pk_maps_write(unsigned long prot, unsigned long flags)
{
	unsigned long type = flags & MAP_TYPE;

	return (prot & PROT_WRITE) && (type == MAP_SHARED || type == MAP_SHARED_VALIDATE);
}

/**
 * Ask for writing to @file through a mapping, for hooks of mappings: s->rq.agent and subjects are
 * set, the rest of the request is new afterwards. Returns what pk_decide() does. A descriptor that
 * was open before the agent's time, or was handed over, is judged here.
 */
static __always_inline int pk_map_write(struct pk_scratch *s, const struct file *file)
{
	const struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);

	s->rq.flags = 0;
	s->rq.reason = 0;
	return pk_ask_walked(s, PK_OP_MAP_WRITE, PK_ACCESS_WRITE, dentry,
			     BPF_CORE_READ(file, f_path.mnt));
}

#endif
