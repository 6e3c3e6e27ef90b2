/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The walk from a dentry to the root of the task's mount namespace, crossing mounts. It holds no
 * lock. A component's parent and its name are of one instant: where a rename was under way the walk
 * begins again, else what has neither name could be given a third one, the old folder with the new name,
 * that no rule forbids. Components may be of different instants: a folder that the agent can move has the
 * same rules at both places.
 *
 * The walk works on addresses through bpf_probe_read_kernel, because `struct mount` around a
 * vfsmount is out of reach for direct loads on 6.1. Its state lives in map memory: counters on the
 * stack make 6.12 and later verify every iteration on its own.
 */
#include "picket.bpf.h"

#include "control.bpf.h"
#include "dentry.bpf.h"
#include "path.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The top of the mount tree: is this the task's own namespace, and does the thing have a name? */
static __always_inline int pk_walk_top(struct pk_scratch *s, __u64 mount)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 mine = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	__u64 its = (__u64)BPF_CORE_READ((struct mount *)mount, mnt_ns);

	if (PK_IS_ERR(its))
		return PK_WALK_NAMELESS;
	if (!its || its != mine)
		s->failed = PK_REASON_DETACHED;
	return PK_WALK_PATH;
}

/* Files of such a file system are asked for more than their path: the cache must not answer. */
static __always_inline bool pk_walk_control(__u64 vfsmount)
{
	unsigned long magic = BPF_CORE_READ((struct vfsmount *)vfsmount, mnt_sb, s_magic);

	return magic == PROC_SUPER_MAGIC || pk_is_control(magic);
}

/* Walks at most, while components are moved. It takes somebody who moves the very object on and on. */
#define PK_WALK_TRIES 8

struct pk_climb {
	struct pk_scratch *s;
	__u32 end; /* enum pk_walk_end */
	__u32 done;
};

/* Continue in a mount: the walk goes up to its root. */
static __always_inline void pk_climb_mount(struct pk_scratch *s, __u64 mount)
{
	s->mount = mount;
	s->root = (__u64)BPF_CORE_READ((struct mount *)mount, mnt.mnt_root);
}

/*
 * A name that the file system compares in a way of its own can be spelled in other ways than the one
 * rules see. Known to be exact: procfs, and directories that do not fold where each says so.
 */
static __always_inline bool pk_name_folds(const struct dentry *dentry, const struct dentry *parent)
{
	const struct super_block *sb = BPF_CORE_READ(dentry, d_sb);

	if (BPF_CORE_READ(sb, s_magic) == PROC_SUPER_MAGIC)
		return false;
	if (bpf_core_field_exists(sb->s_encoding) && BPF_CORE_READ(sb, s_encoding))
		return BPF_CORE_READ(parent, d_inode, i_flags) & S_CASEFOLD;
	return true;
}

/* What the flags of a component's dentry tell about its name. */
static __always_inline void pk_climb_flags(struct pk_scratch *s, const struct dentry *dentry,
					   const struct dentry *parent, __u32 flags)
{
	if (!(flags & (DCACHE_OP_COMPARE | DCACHE_OP_REVALIDATE)))
		return;
	if (flags & DCACHE_OP_REVALIDATE)
		s->unsteady = 1;
	if ((flags & DCACHE_OP_COMPARE) && pk_name_folds(dentry, parent))
		s->folded = 1;
}

/* One step up: a component, or from the root of a mount to its mount point. */
static long pk_climb_step(__u32 index, void *arg)
{
	struct pk_climb *c = arg;
	struct pk_scratch *s = c->s;
	struct dentry *dentry = (struct dentry *)s->dentry;
	struct mount *mount = (struct mount *)s->mount;
	__u64 parent;
	__u32 at;

	if (s->dentry == s->root) {
		parent = (__u64)BPF_CORE_READ(mount, mnt_parent);
		if (parent == s->mount || !parent) {
			c->end = pk_walk_top(s, s->mount);
			c->done = 1;
			return 1;
		}
		s->dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
		pk_climb_mount(s, parent);
		return 0;
	}
	pk_dentry_read(s, s->dentry);
	parent = PK_DENTRY_FIELD(s, dentry, __u64, d_parent);
	if (parent == s->dentry || !parent) {
		/* Files inside the kernel hang on a dentry of their own, not on their mount's root. */
		c->end = pk_walk_top(s, s->mount);
		if (c->end == PK_WALK_PATH)
			c->end = PK_WALK_ELSEWHERE;
		c->done = 1;
		return 1;
	}
	at = s->depth;
	if (at >= PK_PATH_DEPTH) {
		s->failed = PK_REASON_PATH_DEEP;
		c->done = 1;
		return 1;
	}
	pk_climb_flags(s, dentry, (const struct dentry *)parent,
		       PK_DENTRY_FIELD(s, dentry, __u32, d_flags));
	s->components[at].dentry = s->dentry;
	s->components[at].moves = PK_DENTRY_FIELD(s, dentry, __u32, d_seq.seqcount.sequence);
	s->components[at].name = PK_DENTRY_FIELD(s, dentry, __u64, d_name.name);
	s->components[at].length = PK_DENTRY_FIELD(s, dentry, __u32, d_name.len);
	s->depth = at + 1;
	s->dentry = parent;
	return 0;
}

struct pk_text {
	struct pk_scratch *s;
	__u8 *out;
};

/* Was the dentry moved since its name and its parent were looked up, or was it on its way then? */
static __always_inline bool pk_component_moved(const struct pk_component *component)
{
	const struct dentry *dentry = (const struct dentry *)component->dentry;

	return (component->moves & 1) ||
	       BPF_CORE_READ(dentry, d_seq.seqcount.sequence) != component->moves;
}

/* Append "/" and one component, the outermost first. */
static long pk_text_step(__u32 index, void *arg)
{
	struct pk_text *t = arg;
	struct pk_scratch *s = t->s;
	__u32 at = s->depth - 1 - index;
	__u32 offset = s->offset;
	__u32 length;

	if (index >= s->depth || at >= PK_PATH_DEPTH)
		return 1;
	length = s->components[at].length;
	if (length > PK_NAME_MAX || offset + 1 + length > PK_PATH_MAX) {
		s->failed = PK_REASON_PATH_LONG;
		return 1;
	}
	offset &= PK_PATH_MAX - 1;
	length &= PK_NAME_MAX;
	t->out[offset] = '/';
	if (bpf_probe_read_kernel(t->out + offset + 1, length,
				  (const void *)s->components[at].name))
		s->failed = PK_REASON_PATH_READ;
	s->offset = offset + 1 + length;
	s->moved = pk_component_moved(&s->components[at]);
	return s->moved || s->failed;
}

/** One walk; a function of its own, so that verifiers look at it once. Nothing counts when s->moved is set. */
__noinline int pk_path_try(struct pk_scratch *s, __u32 which)
{
	struct pk_climb climb = { .s = s };
	struct pk_text text = { .s = s };

	if (!s)
		return PK_WALK_PATH;
	which &= 1;
	s->depth = 0;
	s->failed = 0;
	s->offset = 0;
	s->folded = 0;
	s->moved = 0;
	s->unsteady = pk_walk_control(s->vfsmount);
	pk_climb_mount(s, s->vfsmount - bpf_core_field_offset(struct mount, mnt));
	bpf_loop(2 * PK_PATH_DEPTH, pk_climb_step, &climb, 0);
	if (!climb.done)
		s->failed = PK_REASON_PATH_DEEP;
	if (climb.end != PK_WALK_PATH)
		return climb.end;
	text.out = which ? s->data + PK_PATH_MAX : s->data;
	if (!s->depth) {
		text.out[0] = '/';
		s->offset = 1;
	}
	if (!s->failed)
		bpf_loop(PK_PATH_DEPTH, pk_text_step, &text, 0);
	return PK_WALK_PATH;
}

__noinline int pk_path_walk(struct pk_scratch *s, __u32 which)
{
	int end = PK_WALK_PATH;
	__u64 dentry;

	if (!s)
		return end;
	which &= 1;
	dentry = s->dentry;
	for (int i = 0; i < PK_WALK_TRIES; i++) {
		s->dentry = dentry;
		end = pk_path_try(s, which);
		if (!s->moved)
			break;
	}
	if (end == PK_WALK_ELSEWHERE)
		s->rq.reason = PK_REASON_DETACHED;
	if (end != PK_WALK_PATH)
		return end;
	if (s->moved)
		s->failed = PK_REASON_PATH_READ;
	/* Of a path too long the beginning is kept: it is not matched, it tells people what it was. */
	s->rq.length[which] = s->offset;
	if (s->folded && !s->failed)
		s->failed = PK_REASON_FOLDED;
	if (s->failed)
		s->rq.reason = (__u8)s->failed;
	return PK_WALK_PATH;
}
