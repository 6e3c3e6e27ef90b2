/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket run --learn`: a run that is refused nothing and recorded whole, and the policy that is learned from it.
 */
#ifndef PICKET_CLI_RUN_LEARN_H
#define PICKET_CLI_RUN_LEARN_H

#include "cli/run_options.h"
#include "cli/run_output.h"

/** Files of a run that is learned from. run_learn_reset() closes. */
struct run_learn {
	int policy_fd; /* -1 = none */
	int events_fd; /* the same; a file of --events is not ours */
	char policy_path[32]; /* of the descriptors, for those who open by name */
	char events_path[32];
};

/** An empty value. */
#define RUN_LEARN_NONE                                                                             \
	{                                                                                          \
		.policy_fd = -1, .events_fd = -1                                                   \
	}

/**
 * Make the policy that allows nothing and refuses nothing, of what tier @tier sees, the one of @options, and
 * give the events a place if they have none. Returns 0 or -errno with an error.
 */
int run_learn_prepare(struct run_learn *learn, struct run_options *options, enum pk_tier tier,
		      struct diag_list *diags);

/** Write the beginning of the recording to the open @output. */
void run_learn_begin(const struct run_options *options, enum pk_tier tier,
		     struct run_output *output);

/**
 * Write its end, with what was lost by @counts, then learn and write the policy. Prints; returns an exit
 * code.
 */
int run_learn_finish(struct run_options *options, struct run_output *output,
		     const __u64 counts[PK_COUNT__MAX]);

/** Close what is open. */
void run_learn_reset(struct run_learn *learn);

#endif
