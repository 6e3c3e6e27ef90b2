/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is picket's own record: folders, and all that is below them, whatever the policy says. Asked once
 * the path is walked, so that files in directories that the cache knows cost nothing: what is picket's
 * own is never kept there.
 *
 * The way up is that of the file system and not that of mounts: another mount shows the same folder
 * under another name, and what it shows is the same.
 */
#include "picket.bpf.h"

#include "dentry.bpf.h"
#include "object.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct pk_ascent {
	struct pk_scratch *s;
	__u64 dentry;
	__u64 device;
	__u32 own; /* what is noted of the object, and of the nearest tree around it */
	__u32 beside; /* something directly in its folder is a secret */
};

/* One step up: the object, then the folders around it. */
static long pk_ascent_step(__u32 index, void *arg)
{
	struct pk_ascent *a = arg;
	struct inode *inode;
	struct pk_inode_key key = { .device = a->device };
	const __u32 *value = 0;
	__u64 parent;

	pk_dentry_read(a->s, a->dentry);
	inode = (struct inode *)PK_DENTRY_FIELD(a->s, a->dentry, __u64, d_inode);
	if (inode) {
		key.number = BPF_CORE_READ(inode, i_ino);
		value = bpf_map_lookup_elem(&pk_own, &key);
	}
	if (value && (!index || (*value & PK_OWN_TREE)))
		a->own |= *value;
	if (a->own & (PK_OWN_FEED | PK_OWN_TREE))
		return 1;
	if (value && index == 1 && (*value & PK_OWN_BESIDE))
		a->beside = 1;
	parent = PK_DENTRY_FIELD(a->s, a->dentry, __u64, d_parent);
	if (parent == a->dentry || !parent)
		return 1;
	a->dentry = parent;
	return 0;
}

__noinline int pk_own_object(struct pk_scratch *s)
{
	struct pk_ascent ascent = { .s = s };
	const struct dentry *dentry;

	if (!s)
		return 0;
	dentry = (const struct dentry *)s->dentry;
	ascent.dentry = s->dentry;
	ascent.device = BPF_CORE_READ(dentry, d_sb, s_dev);
	bpf_loop(PK_PATH_DEPTH, pk_ascent_step, &ascent, 0);
	if (ascent.own || ascent.beside)
		s->unsteady = 1;
	if (pk_own_refuses(ascent.own, s->rq.op, s->rq.access)) {
		s->rq.reason = PK_REASON_SELF;
		s->rq.flags |= PK_REQUEST_ALWAYS;
	}
	return 0;
}
