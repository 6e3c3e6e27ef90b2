/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this kernel and our rights on it can do, found out by trying, one step after the other. The
 * answer is data: who asked prints it, or picks the tier. Nothing tried is left behind, except that
 * the bpf file system may have been mounted.
 */
#ifndef PICKET_ENGINE_FEATURES_H
#define PICKET_ENGINE_FEATURES_H

#include <stdbool.h>

#include <picket/abi.h>

#include "base/diag.h"

/** The steps, in the order they are tried. */
enum feature_id {
	FEATURE_KERNEL,
	FEATURE_PRIVILEGES,
	FEATURE_CGROUP, /* cgroup2 is mounted, wherever, and writable */
	FEATURE_CGROUP_KILL, /* a whole tree can be killed at once */
	FEATURE_BPFFS, /* links and maps can be pinned */
	FEATURE_RINGBUF,
	FEATURE_CGROUP_CONNECT, /* cgroup program on connect */
	FEATURE_CGROUP_SOCK, /* cgroup program on socket creation */
	FEATURE_CGROUP_SKB, /* cgroup program on packets */
	FEATURE_SOCKET_STORAGE,
	FEATURE_SOCKET_END, /* refused connections can be ended at once; information only */
	FEATURE_BTF,
	FEATURE_TASK_STORAGE,
	FEATURE_MIGRATION, /* tracepoint on cgroup migration */
	FEATURE_LSM_LIST, /* `bpf` is an active LSM; information only, proves nothing */
	FEATURE_LSM_HOOK, /* an lsm program loads, attaches and is called */
	FEATURE_MODIFY_RETURN, /* the same for fmod_ret */
	FEATURE__MAX
};

enum feature_state {
	FEATURE_UNKNOWN, /* not tried: not needed, or an earlier step failed */
	FEATURE_OK,
	FEATURE_FAILED
};

/** One step. */
struct feature {
	const char *name; /* short, constant: "lsm-hook" */
	enum feature_state state;
	char *text; /* one sentence without a full stop: what was found; NULL: not tried */
	char *remedy; /* what to do about a failure, or NULL */
};

/** Everything found. features_reset() frees. */
struct features {
	struct feature items[FEATURE__MAX];
	int tier; /* enum pk_tier: the strongest that works; -1: none */
	char *cgroup_root; /* where cgroup2 is mounted, or NULL */
	char *bpffs; /* where the bpf file system is mounted, or NULL */
};

/** Lowest kernel that is supported. */
#define FEATURES_KERNEL_MAJOR 6
#define FEATURES_KERNEL_MINOR 1

/**
 * Try what it takes to know the strongest tier not over @limit, or, for PK_TIER__MAX, every step
 * that can be tried. Returns 0 (caller resets) or -ENOMEM; what fails is in the answer.
 */
int features_probe(enum pk_tier limit, struct features *ret_features);

/** The strongest tier not over @limit that @features offer, as enum pk_tier, or -1. */
int features_find_tier(const struct features *features, enum pk_tier limit);

/**
 * Why @tier cannot be had: adds an error that is @what (or NULL) followed by the text of the first
 * failed step it needs, with that step's remedy. Returns -ENOTSUP when the kernel or what is mounted
 * is the cause, -EPERM when privileges are; 0 and no finding when @features offer the tier.
 */
int features_explain(const struct features *features, enum pk_tier tier, const char *what,
		     struct diag_list *diags);

/** True when @tier needs the step. */
bool features_needs(enum pk_tier tier, enum feature_id id);

/**
 * The version in a release string such as "6.1.0-56-cloud-amd64". Returns 0 or -EINVAL.
 */
int features_parse_release(const char *release, unsigned int *ret_major, unsigned int *ret_minor);

/** True when @name is an element of the comma-separated @list (its end may be a newline). */
bool features_list_has(const char *list, const char *name);

/** Free what was found and make it empty. */
void features_reset(struct features *features);

#endif
