/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Names that are known to be allowed: what the directory cache answered "allowed, nothing to report" for
 * twice is answered without a work area from then on, while all that the answer depends on is what it
 * was: the directory cache's reasons, the name byte for byte, the access, the program that asks.
 *
 * An entry says nothing but that. The place is given by the kernel's hash of the name, so that one that
 * is not known costs little.
 */
#ifndef PICKET_LEAF_BPF_H
#define PICKET_LEAF_BPF_H

#include "config.bpf.h"
#include "maps.bpf.h"

/* The kernel's seqlocks; each starts with its 32-bit count, odd while a writer is inside. */
extern const void rename_lock __ksym __weak;
extern const void mount_lock __ksym __weak;

/* Read both counts. False when they cannot be had or something is changing right now. */
static __always_inline bool pk_dir_counts(__u32 *renames, __u32 *mounts)
{
	if (!&rename_lock || !&mount_lock)
		return false;
	if (bpf_probe_read_kernel(renames, sizeof(*renames), &rename_lock) ||
	    bpf_probe_read_kernel(mounts, sizeof(*mounts), &mount_lock))
		return false;
	return !((*renames | *mounts) & 1);
}

static __always_inline __u64 pk_cache_mix(__u64 hash, __u64 field)
{
	hash = (hash ^ field) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* A device is asked for more than its path. */
static __always_inline bool pk_is_device(const struct inode *inode)
{
	__u32 type = inode ? inode->i_mode & S_IFMT : 0;

	return type == S_IFBLK || type == S_IFCHR;
}

/** May the name of the object at @dentry below @vfsmount come from a cache? */
static __always_inline bool pk_dir_serves(const struct dentry *dentry,
					  const struct vfsmount *vfsmount)
{
	struct dentry *parent = dentry->d_parent;
	struct inode *inode = parent->d_inode;

	if (pk_is_device(dentry->d_inode))
		return false;
	return dentry != vfsmount->mnt_root && parent != dentry && inode &&
	       !(dentry->d_flags & DCACHE_OP_COMPARE) && (inode->i_mode & S_IFMT) == S_IFDIR;
}

/*
 * The address of an object as a number, from @base on: verifiers take a typed pointer for no number, but
 * let one be subtracted from another.
 */
static __always_inline __u64 pk_address_from(const void *object, const void *base)
{
	__u64 address = (__u64)object;

	asm volatile("%0 -= %1" : "+r"(address) : "r"(base));
	return address;
}

/** The counter of freed directories that @inode is in. */
static __always_inline __u64 *pk_freed_of(const struct inode *inode)
{
	__u32 index = 0;
	const __u64 *first = bpf_map_lookup_elem(&pk_freed, &index);

	if (!first)
		return 0;
	index = (pk_cache_mix(1, pk_address_from(inode, first)) >> 24) & (PK_FREED_MAX - 1);
	return bpf_map_lookup_elem(&pk_freed, &index);
}

/* Copy a name; false when it is too long, or not to be read. Verifiers forget the bound of a spilled length. */
static __always_inline bool pk_leaf_name(struct pk_leaf *leaf, const void *name, __u64 length)
{
	asm volatile("" : "+r"(length));
	return length <= PK_LEAF_MAX && !bpf_probe_read_kernel(leaf->name, length, name);
}

/* All of an access and of who asks that the verdict depends on. */
static __always_inline __u64 pk_leaf_rights(__u32 access, __u32 length, __u32 subjects)
{
	return (__u64)subjects << 32 | length << 8 | access;
}

static __always_inline __u64 pk_leaf_hash(const struct pk_leaf *leaf)
{
	__u64 hash = pk_cache_mix(pk_host_seed, leaf->inode);

	hash = pk_cache_mix(hash, leaf->hash);
	hash = pk_cache_mix(hash, leaf->rights);
	for (int i = 0; i < PK_LEAF_MAX / 8; i++)
		hash = pk_cache_mix(hash, leaf->name[i]);
	hash = pk_cache_mix(hash, leaf->dentry);
	hash = pk_cache_mix(hash, leaf->vfsmount);
	hash = pk_cache_mix(hash, leaf->namespace);
	hash = pk_cache_mix(hash, leaf->image);
	hash = pk_cache_mix(hash, leaf->moves);
	return pk_cache_mix(hash, leaf->freed) | 1;
}

/* The only place that the name may be at. The kernel's hash has the directory in it. */
static __always_inline struct pk_leaf *pk_leaf_at(__u32 hash, __u32 access)
{
	__u32 index;

	if (pk_cache_flaw & PK_FLAW_NAME)
		hash = 0;
	if (pk_cache_flaw & PK_FLAW_RIGHTS)
		access = 0;
	index = (pk_cache_mix(1, (__u64)hash << 8 | access) >> 20) & (PK_LEAVES_MAX - 1);
	return bpf_map_lookup_elem(&pk_leaves, &index);
}

/* Where @dentry is, for an entry at @base. False: that cannot be had. */
static __always_inline bool pk_leaf_place(struct pk_leaf *leaf, const struct dentry *dentry,
					  const struct vfsmount *vfsmount,
					  const struct pk_leaf *base)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct dentry *parent = dentry->d_parent;
	struct inode *inode = parent->d_inode;
	const __u64 *freed = pk_freed_of(inode);

	if (!freed)
		return false;
	leaf->inode = pk_address_from(inode, base);
	leaf->dentry = pk_address_from(parent, base);
	leaf->vfsmount = pk_address_from(vfsmount, base);
	leaf->namespace = pk_address_from(task->nsproxy->mnt_ns, base);
	leaf->freed = *freed;
	return true;
}

/* Tests: leave a field unchecked, by taking it for what the entry says. */
static __always_inline void pk_leaf_flaw(struct pk_leaf *now, const struct pk_leaf *entry)
{
	if (pk_cache_flaw & PK_FLAW_RENAMES)
		now->moves = (now->moves & 0xffffffffU) | (entry->moves >> 32 << 32);
	if (pk_cache_flaw & PK_FLAW_MOUNTS)
		now->moves = (now->moves >> 32 << 32) | (entry->moves & 0xffffffffU);
	if (pk_cache_flaw & PK_FLAW_PLACE) {
		now->dentry = entry->dentry;
		now->vfsmount = entry->vfsmount;
		now->namespace = entry->namespace;
	}
	if (pk_cache_flaw & PK_FLAW_IMAGE)
		now->image = entry->image;
	if (pk_cache_flaw & PK_FLAW_NAME) {
		now->hash = entry->hash;
		for (int i = 0; i < PK_LEAF_MAX / 8; i++)
			now->name[i] = entry->name[i];
	}
	if (pk_cache_flaw & (PK_FLAW_RIGHTS | PK_FLAW_NAME))
		now->rights = entry->rights;
}

static __always_inline bool pk_leaf_equal(const struct pk_leaf *now, const struct pk_leaf *entry)
{
	__u64 differs = (now->inode ^ entry->inode) | (now->hash ^ entry->hash) |
			(now->rights ^ entry->rights) | (now->dentry ^ entry->dentry) |
			(now->vfsmount ^ entry->vfsmount) | (now->namespace ^ entry->namespace) |
			(now->image ^ entry->image) | (now->moves ^ entry->moves) |
			(now->freed ^ entry->freed);

	for (int i = 0; i < PK_LEAF_MAX / 8; i++)
		differs |= now->name[i] ^ entry->name[i];
	return !differs && entry->check == pk_leaf_hash(now);
}

/**
 * Keep the name in s->data, that of @dentry, which s->known and s->dir let pass; at first only that it
 * was asked for. What moved meanwhile has moved the counts in s->dir.
 */
static __always_inline void pk_leaf_learn(struct pk_scratch *s, const struct dentry *dentry,
					  const struct vfsmount *vfsmount)
{
	struct pk_leaf *leaf = &s->leaf;
	__u32 length = s->components[0].length, hash = dentry->d_name.hash;
	struct pk_leaf *entry = pk_leaf_at(hash, s->rq.access);

	if (!entry || (s->rq.flags & ~PK_REQUEST_MADE))
		return;
	if (entry->hash != hash && !pk_cache_check) {
		entry->check = 0;
		entry->hash = hash;
		return;
	}
	if (!pk_leaf_place(leaf, dentry, vfsmount, entry))
		return;
	leaf->hash = hash;
	leaf->rights = pk_leaf_rights(s->rq.access, length, s->rq.subjects);
	for (int i = 0; i < PK_LEAF_MAX / 8; i++)
		leaf->name[i] = 0;
	if (!pk_leaf_name(leaf, s->data, length))
		return;
	leaf->image = s->known.image;
	leaf->moves = (__u64)s->dir.renames << 32 | s->dir.mounts;
	leaf->check = pk_leaf_hash(leaf);
	__builtin_memcpy(entry, leaf, sizeof(*entry));
}

#endif
