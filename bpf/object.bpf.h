/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the file and program hooks share: from a dentry and mount to a decision.
 */
#ifndef PICKET_OBJECT_BPF_H
#define PICKET_OBJECT_BPF_H

#include "decide.bpf.h"
#include "path.bpf.h"

/** Ask for one file: @access to the object at @dentry below @vfsmount. */
static __always_inline int pk_ask_file(struct pk_scratch *s, __u32 op, __u32 access,
				       const void *dentry, const void *vfsmount)
{
	s->rq.section = PK_SECTION_FILES;
	s->rq.access = (__u8)access;
	s->rq.op = (__u8)op;
	s->rq.error = EACCES;
	if (pk_path_of(s, dentry, vfsmount, 0) == PK_WALK_NAMELESS)
		return 0;
	return pk_decide(s);
}

/** The whole of a simple file hook: label, work area, path, decision. */
static __always_inline int pk_file_hook(__u32 agent, __u32 op, __u32 access, const void *dentry,
					const void *vfsmount)
{
	struct pk_scratch *s = pk_scratch_take(agent);
	int error;

	if (!s)
		return -EACCES;
	error = pk_ask_file(s, op, access, dentry, vfsmount);
	pk_scratch_give(s);
	return pk_errno(error);
}

#endif
