/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of tests beside a policy:
 *
 *   policy: ../policies/agent.yaml        # relative to this file
 *   set: {packages: packages.example.net} # as --set; may be left away
 *   tests:
 *     - {open: "${workspace}/a", expect: allow}
 *
 * The tests are as those in a policy, and see its variables.
 */
#ifndef PICKET_AUTHOR_TESTS_FILE_H
#define PICKET_AUTHOR_TESTS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/** What is in a file. tests_file_reset() frees. */
struct tests_file {
	bool is_policy; /* it has the key `picket`; then the rest is empty */
	bool is_other; /* it has neither of the keys by which they are told */
	char *policy; /* the policy that is tested, as the caller may open it */
	char **sets; /* NAME=VALUE */
	size_t set_count;
};

/**
 * Look what the file @path is. Findings borrow nothing. Returns 0; -EINVAL with findings; -ENOMEM; the error
 * of reading, with a finding.
 */
int tests_file_read(const char *path, struct tests_file *ret_file, struct diag_list *diags);

/** Free everything and make it empty. */
void tests_file_reset(struct tests_file *file);

#endif
