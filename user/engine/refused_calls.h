/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The syscalls section of agents that were running before they became agents: no seccomp filter can
 * be put on them, so the kernel program at the entry of system calls kills who makes a refused one.
 */
#ifndef PICKET_ENGINE_REFUSED_CALLS_H
#define PICKET_ENGINE_REFUSED_CALLS_H

#include "base/diag.h"
#include "policy/image.h"

struct loader;
struct picket_bpf;

/** A loader_prepare_fn: also load the program, which nobody pays for who does not need it. */
void refused_calls_prepare(struct picket_bpf *skel, void *unused);

/**
 * Make the calls that @image refuses those of slot @slot, by number for every table of calls that
 * this kernel has. Before the agent is created, with a loader that was prepared for it. Returns 0 or
 * -errno with an error (-EINVAL: a name that libseccomp does not know).
 */
int refused_calls_publish(struct loader *loader, __u32 slot, const struct policy_image *image,
			  struct diag_list *diags);

#endif
