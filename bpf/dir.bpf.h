/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The directory cache: the automaton states behind a directory's path and a '/', so that a file in a
 * known directory costs its last name only. It never denies and never reports: whatever is not a
 * plain "allowed" takes the whole walk.
 *
 * An entry is right as long as the directory's path is: every rename in the dentry tree moves the
 * kernel's rename_lock, every change of the mount tree its mount_lock. Both counts are read before
 * the walk whose states are kept, so a change during the walk makes the entry worthless. A hidden or
 * missing symbol, or a file system that may change names on its own, means: nothing is kept.
 */
#ifndef PICKET_DIR_BPF_H
#define PICKET_DIR_BPF_H

#include "decide.bpf.h"
#include "leaf.bpf.h"

static __always_inline __u64 pk_dir_hash(const struct pk_dir *d)
{
	__u64 hash = pk_cache_mix(1, d->inode);

	hash = pk_cache_mix(hash, d->dentry);
	hash = pk_cache_mix(hash, d->vfsmount);
	hash = pk_cache_mix(hash, d->namespace);
	hash = pk_cache_mix(hash, d->image);
	hash = pk_cache_mix(hash, (__u64)d->renames << 32 | d->mounts);
	return pk_cache_mix(hash, (__u64)d->states[0] << 32 | d->states[1]);
}

/* Is the entry in s->known the directory in s->dir, now? Its image is checked by pk_decide_leaf(). */
static __always_inline bool pk_dir_valid(const struct pk_scratch *s)
{
	const struct pk_dir *known = &s->known, *now = &s->dir;

	if (known->inode != now->inode || known->check != pk_dir_hash(known))
		return false;
	if (known->renames != now->renames && !(pk_cache_flaw & PK_FLAW_RENAMES))
		return false;
	if (known->mounts != now->mounts && !(pk_cache_flaw & PK_FLAW_MOUNTS))
		return false;
	if (pk_cache_flaw & PK_FLAW_PLACE)
		return true;
	return known->dentry == now->dentry && known->vfsmount == now->vfsmount &&
	       known->namespace == now->namespace;
}

/* Fill s->dir with the directory around @dentry; false when its name cannot come from the cache. */
static __always_inline bool pk_dir_present(struct pk_scratch *s, const struct dentry *dentry,
					   const struct vfsmount *vfsmount)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct dentry *parent = dentry->d_parent;
	struct inode *inode = parent->d_inode;
	const struct pk_dir *entry;

	if (!pk_dir_serves(dentry, vfsmount))
		return false;
	if (!pk_dir_counts(&s->dir.renames, &s->dir.mounts))
		return false;
	s->dir.inode = (__u64)inode;
	s->dir.dentry = (__u64)parent;
	s->dir.vfsmount = (__u64)vfsmount;
	s->dir.namespace = (__u64)task->nsproxy->mnt_ns;
	entry = bpf_map_lookup_elem(&pk_dirs, &s->dir.inode);
	if (!entry)
		return true;
	__builtin_memcpy(&s->known, entry, sizeof(s->known));
	/* What is checked below must be this copy, and not the entry that others write. */
	asm volatile("" ::: "memory");
	if (!pk_dir_valid(s))
		s->known.inode = 0;
	return true;
}

/* Are the counts what they were when s->dir was filled? */
static __always_inline bool pk_dir_steady(const struct pk_scratch *s)
{
	__u32 renames, mounts;

	return pk_dir_counts(&renames, &mounts) && renames == s->dir.renames &&
	       mounts == s->dir.mounts;
}

/**
 * Does the cache know that s->rq for the object at @dentry below @vfsmount is allowed, with nothing
 * to report? Also prepares what pk_dir_learn() needs.
 */
static __always_inline bool pk_dir_allows(struct pk_scratch *s, const struct dentry *dentry,
					  const struct vfsmount *vfsmount)
{
	bool allowed;

	s->walked = 0;
	s->named = 0;
	s->known.inode = 0;
	if (pk_dir_present(s, dentry, vfsmount)) {
		s->components[0].name = (__u64)dentry->d_name.name;
		s->components[0].length = dentry->d_name.len;
	}
	/* The name was looked up and read, the parent with it: nothing moved meanwhile. */
	allowed = pk_decide_leaf(s) && pk_dir_steady(s);
	if (allowed && s->named)
		pk_leaf_learn(s, dentry, vfsmount);
	if (allowed && !pk_cache_check)
		return true;
	/* An exchange is a full barrier: the counts are older than all that the walk reads. */
	__sync_lock_test_and_set(&s->depth, 0);
	return false;
}

/* Tests: the walk and the cache must agree, unless something moved between them. */
static __always_inline void pk_dir_compare(const struct pk_scratch *s)
{
	pk_count(s->rq.agent, PK_COUNT_CACHE_HIT);
	if (!pk_dir_steady(s) || (s->walked && s->known.image != s->dir.image))
		return;
	if (!s->walked || s->known.states[0] != s->dir.states[0] ||
	    s->known.states[1] != s->dir.states[1])
		pk_count(s->rq.agent, PK_COUNT_CACHE_WRONG);
}

/** After the whole walk and the decision: keep what was found of the directory. */
static __always_inline void pk_dir_learn(struct pk_scratch *s)
{
	if (pk_cache_check && s->known.inode) {
		pk_dir_compare(s);
		return;
	}
	if (!s->walked || s->unsteady)
		return;
	s->dir.check = pk_dir_hash(&s->dir);
	(void)bpf_map_update_elem(&pk_dirs, &s->dir.inode, &s->dir, BPF_ANY);
}

#endif
