/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What /proc says of a process now, where no record tells. A process may change while it is looked at: it
 * is the same one before and after, and that is all.
 */
#ifndef PICKET_PROCESS_REPAIR_H
#define PICKET_PROCESS_REPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

#include "process/container.h"

/** Nanoseconds of a clock tick, in which /proc tells the start of processes. */
#define REPAIR_TICK_NS 10000000ULL

/** Bytes; NULL: not known. */
struct repaired_text {
	char *bytes; /* owned */
	size_t length;
};

/** A process, as it was found. */
struct repaired {
	pid_t parent; /* 0: none that we can see */
	__u64 ticks; /* its start, in clock ticks since boot */
	uid_t uid;
	gid_t gid;
	char comm[17];
	struct repaired_text exe;
	struct repaired_text words; /* each ended by a NUL but for the last if cut */
	struct repaired_text cwd;
	struct repaired_text variables; /* those that context.h knows, each ended by a NUL */
	bool words_cut;
	char container[CONTAINER_SIZE]; /* id, or "" */
};

/** Read it. Returns 0, or -ESRCH: there is none, or it ended meanwhile. */
int repair_read(pid_t pid, struct repaired *ret_repaired);

/** When the process @pid started, in clock ticks since boot. Returns 0 or -ESRCH. */
int repair_ticks(pid_t pid, __u64 *ret_ticks);

/** Write the id of the container that the process which started at @start_ns is in, or "". */
void repair_container(pid_t pid, __u64 start_ns, char container[static CONTAINER_SIZE]);

/** True when a start in ticks, from /proc, and one in nanoseconds may be the same: within one tick. */
bool repair_is_start(__u64 ticks, __u64 start_ns);

/** Free what it owns and make it empty. */
void repaired_reset(struct repaired *repaired);

#endif
