/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by features.c, features_host.c and features_bpf.c: the steps, and how one is answered.
 * Each step returns 0 or -ENOMEM; what it found is in @step.
 */
#ifndef PICKET_ENGINE_FEATURES_STEPS_H
#define PICKET_ENGINE_FEATURES_STEPS_H

#include "engine/features.h"

/** Answer a step: works. */
int step_ok(struct feature *step, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Answer a step: does not work, and what to do about it. */
int step_failed(struct feature *step, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** The kernel is new enough. */
int step_kernel(struct features *f, struct feature *step);
/** The capabilities are there, in the initial user namespace. */
int step_privileges(struct features *f, struct feature *step);
/** Finds cgroup2 and stores f->cgroup_root. */
int step_cgroup(struct features *f, struct feature *step);
/** A cgroup can be created and has cgroup.kill. */
int step_cgroup_kill(struct features *f, struct feature *step);
/** Finds or mounts the bpf file system and stores f->bpffs. */
int step_bpffs(struct features *f, struct feature *step);
/** The kernel's type information can be read. */
int step_btf(struct features *f, struct feature *step);
/** `bpf` is in the list of LSMs. */
int step_lsm_list(struct features *f, struct feature *step);
/** A ring buffer can be created. */
int step_ringbuf(struct features *f, struct feature *step);
/** A program on cgroup/connect4 loads. */
int step_cgroup_connect(struct features *f, struct feature *step);
/** A program on cgroup/sock_create loads. */
int step_cgroup_sock(struct features *f, struct feature *step);
/** A program on packets of a cgroup loads. */
int step_cgroup_skb(struct features *f, struct feature *step);
/** Socket storage can be created. */
int step_socket_storage(struct features *f, struct feature *step);
/** A TCP socket can be ended through sock_diag. */
int step_socket_end(struct features *f, struct feature *step);
/** Task storage can be created. */
int step_task_storage(struct features *f, struct feature *step);
/** A program on the tracepoint of cgroup migration loads. */
int step_migration(struct features *f, struct feature *step);
/** An lsm program loads, attaches and is called. */
int step_lsm_hook(struct features *f, struct feature *step);
/** A fmod_ret program loads, attaches and is called. */
int step_modify_return(struct features *f, struct feature *step);

#endif
