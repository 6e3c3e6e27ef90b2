/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What became of the rules when one image replaced another: lines such as
 *   - deny files "/etc/shadow"
 *   + allow egress "api.example:443"
 *   + approvals.timeout   5m, then deny
 */
#ifndef PICKET_DAEMON_DIFF_H
#define PICKET_DAEMON_DIFF_H

#include "policy/image.h"

/** Most lines; more are counted. */
#define DIFF_LINES_MAX 200

/**
 * Store the differences as malloc'ed text, "" when the rules are the same. Returns 0 or -ENOMEM. Both
 * images must be validated.
 */
int diff_rules(const struct policy_image *before, const struct policy_image *after,
	       char **ret_text);

/** True when both refuse the same system calls. */
bool diff_same_calls(const struct policy_image *before, const struct policy_image *after);

#endif
