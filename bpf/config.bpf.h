/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What user space sets before the programs are loaded (read-only data: the verifier removes the
 * branches not taken) and the one word it changes while they run.
 */
#ifndef PICKET_CONFIG_BPF_H
#define PICKET_CONFIG_BPF_H

/** enum pk_tier: how the hooks are attached. */
extern const volatile __u32 pk_tier;

/** Decide every cached request by the full walk too and count differences. Tests only. */
extern const volatile __u32 pk_cache_check;

/** What a cached directory may be left unchecked for: mistakes that a test must find. */
enum pk_cache_flaw {
	PK_FLAW_RENAMES = 1,
	PK_FLAW_MOUNTS = 2,
	PK_FLAW_PLACE = 4, /* dentry, mount, mount namespace */
	PK_FLAW_IMAGE = 8,
	PK_FLAW_NAME = 16, /* of names that are known to be allowed */
	PK_FLAW_RIGHTS = 32, /* the same: access, program */
};

/** Bits of enum pk_cache_flaw. Tests only. */
extern const volatile __u32 pk_cache_flaw;

/** Keys all hashes: who chooses names must not be able to choose their hashes. */
extern const volatile __u64 pk_host_seed;

/** 0: nobody ever will approve: the verifier leaves out all that is about answers. */
extern const volatile __u32 pk_answers;

/** 1: somebody could approve what rules ask about. */
extern __u32 pk_approvers;

/** 1: somebody wants to know how long decisions take. */
extern __u32 pk_timing;

/** Of how many decisions the time of one goes into pk_latency, about; 0: of none. */
extern __u32 pk_sampling;

/** tgid of the process that supervises the agents: they can neither signal nor trace it. */
extern __u32 pk_supervisor;

/** Raised after every change of the cgroups map: tasks are looked up again. */
extern __u32 pk_generation;

#endif
