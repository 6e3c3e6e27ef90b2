/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls that a policy refuses: a seccomp filter which asks us about each of them, so that the
 * refusal is an event like every other. When nobody answers any more the kernel does, with ENOSYS.
 */
#ifndef PICKET_ENGINE_SECCOMP_H
#define PICKET_ENGINE_SECCOMP_H

#include <stdbool.h>

#include <linux/filter.h>

#include "policy/image.h"

/** A filter program; count 0 = the policy refuses no system call. seccomp_filter_reset() frees. */
struct seccomp_filter {
	struct sock_filter *code; /* owned */
	unsigned short count;
};

/**
 * Build the filter for the syscalls rules of @image: by name, for every architecture whose programs
 * this kernel runs. Returns 0, or -errno with an error (-EINVAL: a name that libseccomp does not
 * know).
 */
int seccomp_filter_build(const struct policy_image *image, struct seccomp_filter *ret_filter,
			 struct diag_list *diags);

/**
 * Put the filter on the calling task, which must have no threads. Where the kernel insists (the task
 * has not CAP_SYS_ADMIN, as after a change of user) set-id privileges are given up for good. Returns
 * the listener, which is the lowest free descriptor, or -errno.
 */
int seccomp_filter_load(const struct seccomp_filter *filter);

/** Free the program and make the filter empty. */
void seccomp_filter_reset(struct seccomp_filter *filter);

/** Called with the record of a refused call. */
typedef void (*seccomp_record_fn)(void *context, const void *bytes, size_t size);

/** Who answers. */
struct seccomp_watch {
	int listener; /* -1 = none; borrowed */
	const struct policy_image *image; /* whose rules are named; borrowed */
	__u32 agent; /* slot */
	__u64 cgroup; /* id of the agent's cgroup */
	seccomp_record_fn record;
	void *context; /* first argument of record */
	bool shared; /* others may have the listener, too: a call that they took is not waited for */
};

/**
 * Answer one waiting call: EPERM, or in audit mode let it go on; and record it. Returns 0, also when
 * the caller was killed meanwhile, or -errno; -EINTR when there was no call although the listener is
 * shared: somebody else takes them. Uses SIGALRM when it is shared, which nobody else may.
 */
int seccomp_answer(const struct seccomp_watch *watch);

/** The name of call @number of audit architecture @arch, malloc'ed; the calls behind the
 * multiplexers of 32-bit x86 by @first_argument. NULL: unknown. */
char *seccomp_call_name(__u32 arch, int number, __u64 first_argument);

#endif
