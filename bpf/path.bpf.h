/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which path: from a dentry and its mount to the text that the rules are written in.
 */
#ifndef PICKET_PATH_BPF_H
#define PICKET_PATH_BPF_H

#include "maps.bpf.h"

/** What a walk found, besides a path. */
enum pk_walk_end {
	PK_WALK_PATH, /* s->rq.length[which] is set, or s->rq.reason says why not */
	PK_WALK_NAMELESS, /* pipe, socket, anonymous inode, memfd: no path at all */
	PK_WALK_ELSEWHERE, /* the mount does not hold the dentry; s->rq.reason is set */
};

/**
 * Write the path of s->dentry below s->vfsmount into s->data[which * PK_PATH_MAX], as the mount
 * namespace of the running task shows it. Returns an enum pk_walk_end. On failure s->rq.reason is
 * set: too long, too deep, unreadable, or not below the root of the task's mount namespace.
 */
int pk_path_walk(struct pk_scratch *s, __u32 which);

/**
 * pk_path_walk() for a dentry and mount at hand. The addresses travel in the work area: verifiers
 * take a typed pointer for no number, and a global function has no other way to get one.
 */
static __always_inline int pk_path_of(struct pk_scratch *s, const void *dentry,
				      const void *vfsmount, __u32 which)
{
	s->dentry = (__u64)dentry;
	s->vfsmount = (__u64)vfsmount;
	return pk_path_walk(s, which);
}

#endif
