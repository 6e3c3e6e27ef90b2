/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by features.c and features_bpf.c: the steps that load BPF programs, and how a step is
 * answered. Each step returns 0 or -ENOMEM; what it found is in @step.
 */
#ifndef PICKET_ENGINE_FEATURES_STEPS_H
#define PICKET_ENGINE_FEATURES_STEPS_H

#include "engine/features.h"

/** Answer a step: works. */
int step_ok(struct feature *step, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Answer a step: does not work, and what to do about it. */
int step_failed(struct feature *step, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** A ring buffer can be created. */
int step_ringbuf(struct features *f, struct feature *step);
/** A program on cgroup/connect4 loads. */
int step_cgroup_connect(struct features *f, struct feature *step);
/** A program on cgroup/sock_create loads. */
int step_cgroup_sock(struct features *f, struct feature *step);
/** Task storage can be created. */
int step_task_storage(struct features *f, struct feature *step);
/** A program on the tracepoint of cgroup migration loads. */
int step_migration(struct features *f, struct feature *step);
/** An lsm program loads, attaches and is called. */
int step_lsm_hook(struct features *f, struct feature *step);
/** A fmod_ret program loads, attaches and is called. */
int step_modify_return(struct features *f, struct feature *step);

#endif
