/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where one run lives: its cgroup and its directory of pins, both called run-PID-N, in directories
 * `picket` of the cgroup2 and bpf file systems. A living owner holds a lock (flock) on both; a place
 * without a lock belongs to nobody. Whoever creates, removes or cleans places holds the common lock.
 */
#ifndef PICKET_ENGINE_PLACE_H
#define PICKET_ENGINE_PLACE_H

#include "base/diag.h"

/** Where the two file systems are mounted. */
struct place_roots {
	const char *cgroup;
	const char *bpffs;
};

/** The common lock, and the two `picket` directories, which exist while it is held. */
struct place_lock {
	int cgroups; /* directory `picket` of cgroup2; the lock is on it */
	int pins; /* directory `picket` of the bpf file system */
};

/** One run's place. */
struct place {
	char name[48]; /* run-PID-N */
	int cgroup; /* its cgroup, locked; -1 = none */
	int pins; /* its directory of pins, locked; -1 = none */
	char *pin_path; /* the same as a path, for libbpf */
};

/** How names of places begin. */
#define PLACE_PREFIX "run-"

/** Empty values: nothing is open. */
#define PLACE_LOCK_NONE                                                                            \
	{                                                                                          \
		.cgroups = -1, .pins = -1                                                          \
	}
#define PLACE_NONE                                                                                 \
	{                                                                                          \
		.cgroup = -1, .pins = -1                                                           \
	}

/**
 * Take the common lock, waiting up to half a minute, and make the two directories if needed.
 * Returns 0 (caller unlocks with place_unlock()) or -errno with an error in @diags.
 */
int place_lock(const struct place_roots *roots, struct place_lock *ret_lock,
	       struct diag_list *diags);

/** Remove the two directories if they are empty, and give the lock back. Accepts an empty lock. */
void place_unlock(const struct place_roots *roots, struct place_lock *lock);

/**
 * Create and lock a new place; @lock must be held. Returns 0 (caller removes it with
 * place_remove()) or -errno with an error in @diags.
 */
int place_create(const struct place_roots *roots, const struct place_lock *lock,
		 struct place *ret_place, struct diag_list *diags);

/** Unlink everything pinned in directory @name below @pins, and the directory. 0 or -errno. */
int place_remove_pins(int pins, const char *name);

/**
 * Remove the place, in which no process may be left, and take the common lock meanwhile. Accepts an
 * empty place; resets it. Returns 0 or -errno with an error in @diags.
 */
int place_remove(const struct place_roots *roots, struct place *place, struct diag_list *diags);

#endif
